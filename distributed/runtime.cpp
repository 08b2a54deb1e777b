#include "distributed/runtime.hpp"

#include <hdf5.h>
#include <mpi.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "distributed/communicator.hpp"
#include "distributed/device.hpp"
#include "distributed/error.hpp"

extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace thalweg {

namespace {

/// True when a launcher (mpirun, srun) started this process.
bool started_by_launcher() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK", "SLURM_STEP_NUM_TASKS", "MPI_LOCALNRANKS"})
    if (std::getenv(name) != nullptr) return true;
  return false;
}

/// Place of this process among the ranks of its node.
struct NodePlace {
  int rank = 0;
  int size = 1;
};

NodePlace place_on_node() {
  NodePlace place;
  int is_initialized = 0;
  MPI_Initialized(&is_initialized);
  if (!is_initialized) return place;
  MPI_Comm node = MPI_COMM_NULL;
  if (MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node) != MPI_SUCCESS)
    throw CommunicationError("the ranks of a node could not be counted (MPI_Comm_split_type)");
  MPI_Comm_rank(node, &place.rank);
  MPI_Comm_size(node, &place.size);
  MPI_Comm_free(&node);
  return place;
}

int default_threads(int ranks_on_node) {
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    const int threads = std::atoi(text);
    if (threads > 0) return threads;
  }
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return std::max(1, cores / ranks_on_node);
}

/// Throws when this build or this node cannot serve `device`. Kokkos' CUDA back end would abort instead.
void check_device(const std::string& device) {
  if (device != "auto" && device != "cpu" && device != "cuda")
    throw ConfigError("unknown device \"" + device + "\" in run.device; allowed: auto, cpu, cuda");
  if (is_device_build() && num_devices() == 0)
    throw DataError(
        "no GPU: driver missing or none allocated; run on a GPU node or use a CPU build (Kokkos' CUDA back end cannot "
        "start without one)");
  if (!is_device_build() && device == "cuda")
    throw DataError(
        "no GPU support in this program for run.device = \"cuda\"; it is a CPU build; set run.device to auto or cpu, "
        "or build with `cmake --preset cuda`");
}

}  // namespace

int threads_per_rank(int requested) {
  return requested > 0 ? requested : default_threads(place_on_node().size);
}

Runtime::Mpi::Mpi() {
  int is_initialized = 0;
  MPI_Initialized(&is_initialized);
  if (is_initialized || !started_by_launcher()) return;
  int provided = 0;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
    throw CommunicationError("MPI could not be started");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  is_ours_ = true;
}

Runtime::Mpi::~Mpi() {
  if (is_ours_) MPI_Finalize();
}

Runtime::Runtime(const RuntimeOptions& options) {
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", /*overwrite=*/0);
  std::signal(SIGXFSZ, SIG_IGN);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  if (options.kernels) start_kernels(options);
}

Runtime::~Runtime() {
  if (owns_kokkos_) Kokkos::finalize();
}

void Runtime::start_kernels(const RuntimeOptions& options) {
  const NodePlace place = place_on_node();
  int bound = -1;
  make_world_communicator()->on_all([&] {
    check_device(options.device);
    bound = bind_device(place.rank);
  });
  device_ = options.device == "cpu" ? -1 : bound;
  threads_ = options.threads > 0 ? options.threads : default_threads(place.size);
  // Placement is the launcher's business; the hint that Kokkos prints about it is noise in a log.
  setenv("OMP_PROC_BIND", "false", /*overwrite=*/0);
  auto settings = Kokkos::InitializationSettings().set_num_threads(threads_).set_disable_warnings(true);
  if (bound >= 0) settings.set_device_id(bound);
  Kokkos::initialize(settings);
  owns_kokkos_ = true;
  // BLAS sees only matrices of types: threads of its own would spin beside ours and change its sums.
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
}

int Runtime::device() const { return device_; }

int Runtime::threads() const { return threads_; }

void Runtime::abandon(int code) {
  int is_initialized = 0;
  MPI_Initialized(&is_initialized);
  if (is_initialized) MPI_Barrier(MPI_COMM_WORLD);
  std::_Exit(code);
}

}  // namespace thalweg
