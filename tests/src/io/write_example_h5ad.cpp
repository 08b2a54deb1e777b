// write_example_h5ad PATH ROWS none|gzip [matrix]: writes the example object by all ranks; ends as the
// main program does, with `error: ..` and the exit code of the error.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "distributed/runtime.hpp"
#include "example_anndata.hpp"

namespace {

void write(const thalweg::Communicator& comm, int argc, char** argv) {
  const thalweg::Partition partition(std::atoll(argv[2]), comm.size());
  const bool with_matrix = argc > 4;
  const auto file = thalweg::example_anndata(partition.rows_of(comm.rank()), with_matrix, comm.is_root());
  const bool compress = std::string(argv[3]) == "gzip";
  file.write(comm, argv[1], {.compression = compress ? thalweg::Compression::gzip : thalweg::Compression::none});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const thalweg::Runtime runtime;
  const auto comm = thalweg::make_world_communicator();
  try {
    write(*comm, argc, argv);
  } catch (const thalweg::Error& error) {
    if (comm->is_root()) std::fprintf(stderr, "error: %s\n", error.what());
    return error.exit_code();
  }
  return 0;
}
