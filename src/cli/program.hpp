// The program behind main.
#pragma once

namespace thalweg {

/// Runs the command line and returns the exit code, the same on all ranks. Every error ends here,
/// printed once.
int run_program(int argc, char** argv);

}  // namespace thalweg
