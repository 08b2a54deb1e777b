#include "cli/program.hpp"
#include "core/stop_request.hpp"

int main(int argc, char** argv) {
  thalweg::install_stop_handlers();
  return thalweg::run_program(argc, argv);
}
