#include "distributed/runtime.hpp"

#include <hdf5.h>
#include <mpi.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <type_traits>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

/// True when a launcher (mpirun, srun) started this process.
bool started_by_launcher() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK", "SLURM_STEP_NUM_TASKS", "MPI_LOCALNRANKS"})
    if (std::getenv(name) != nullptr) return true;
  return false;
}

int ranks_on_this_node() {
  int is_initialized = 0;
  MPI_Initialized(&is_initialized);
  if (!is_initialized) return 1;
  MPI_Comm node = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  int size = 1;
  MPI_Comm_size(node, &size);
  MPI_Comm_free(&node);
  return size;
}

int default_threads() {
  if (const char* text = std::getenv("OMP_NUM_THREADS")) {
    const int threads = std::atoi(text);
    if (threads > 0) return threads;
  }
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return std::max(1, cores / ranks_on_this_node());
}

void check_device(const std::string& device) {
  constexpr bool has_device = !std::is_same_v<Kokkos::DefaultExecutionSpace, Kokkos::DefaultHostExecutionSpace>;
  if (device == "cuda" && !has_device)
    throw DataError(
        "run.device = \"cuda\" in a build without CUDA; available: cpu; build the cuda preset or set run.device = "
        "\"auto\"");
}

}  // namespace

MpiSession::MpiSession() {
  int is_initialized = 0;
  MPI_Initialized(&is_initialized);
  if (is_initialized || !started_by_launcher()) return;
  int provided = 0;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
    throw CommunicationError("MPI could not be started");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  owns_mpi_ = true;
}

MpiSession::~MpiSession() {
  if (owns_mpi_) MPI_Finalize();
}

Runtime::Runtime(const RuntimeOptions& options) {
  check_device(options.device);
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", /*overwrite=*/0);
  std::signal(SIGXFSZ, SIG_IGN);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  threads_ = options.threads > 0 ? options.threads : default_threads();
  // Placement is the launcher's business; the hint that Kokkos prints about it is noise in a log.
  setenv("OMP_PROC_BIND", "false", /*overwrite=*/0);
  Kokkos::initialize(Kokkos::InitializationSettings().set_num_threads(threads_).set_disable_warnings(true));
}

Runtime::~Runtime() { Kokkos::finalize(); }

int Runtime::threads() const { return threads_; }

void Runtime::abandon(int code) {
  int is_initialized = 0;
  MPI_Initialized(&is_initialized);
  if (is_initialized) MPI_Barrier(MPI_COMM_WORLD);
  std::_Exit(code);
}

}  // namespace thalweg
