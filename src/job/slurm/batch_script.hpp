// The template of all batch scripts.
#pragma once

#include <string>

#include "job/slurm/submission.hpp"

namespace thalweg {

/// The script of a job or of an array, whole; of a chain the one that all its stages share, which takes the stage's
/// results folder and command line as its arguments.
std::string batch_script(const Submission& submission);

/// The script that submits the stages of a chain one behind the other, with the batch script in it.
std::string chain_script(const Submission& submission);

}  // namespace thalweg
