// What an alignment says of each cell.
#pragma once

#include <cstdint>
#include <vector>

#include "job/coupling_top.hpp"
#include "job/gromov_scores.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// All cells of one side, on every rank. NaN and -1 where a cell has no partners.
struct AlignedCells {
  std::vector<double> potential;    // f or g
  std::vector<double> mass;         // actual marginal
  std::vector<std::int64_t> match;  // position of its partner of most mass; ties: the first
  std::vector<double> confidence;   // share of its mass that goes there
  std::vector<double> entropy;      // -sum p log p over its partners
  std::vector<std::uint8_t> unmatched;
  std::vector<double> projected;  // cells x features of the other side: means over its partners
};

struct Alignment {
  AlignedCells source, target;
  TopPartners top;                   // of the sources that this rank owns
  std::vector<double> class_masses;  // mass between the labels of both sides, sources down; empty without labels
};

/// Rows of P are formed 256 at a time. Collective.
Alignment describe_alignment(const Communicator& comm, const TransportSides& sides, const GromovSolution& solution);

/// Features of one side's cells and of the other's projected among them.
JointSpace joint_space(const CellSide& own, const AlignedCells& projected);

}  // namespace thalweg
