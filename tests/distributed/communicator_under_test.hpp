// Which communicator a program of communicator_suite.cpp tests.
#pragma once

#include <memory>

#include "distributed/communicator.hpp"

namespace thalweg {

std::unique_ptr<Communicator> communicator_under_test();

}  // namespace thalweg
