// States of solvers in files, from which a run goes on: whole or absent, checked, for any number of ranks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/state_visitor.hpp"

namespace thalweg {

/// What keeps the state of one solve between runs, as a solver sees it. All ranks call `restore` and `save` together.
class Checkpoint {
 public:
  virtual ~Checkpoint() = default;

  /// Puts the newest state that is whole into what `visit` lists. @return false: there is none, the solve begins anew
  virtual bool restore(const VisitState& visit) = 0;

  /// Puts what the state restored last has under the names that `visit` lists, a few of all, there too: for parts of a
  /// solve that were not there yet.
  virtual void reread(const VisitState& visit) = 0;

  /// Whether this rank finds it time to save. Ranks differ: all-reduce it.
  /// @param at_boundary  between two stages, where saving is worth it sooner
  virtual bool is_due(bool at_boundary = false) const = 0;

  /// Saves. A failure is a warning, unless the solve is about to stop: then it is an IoError.
  /// @param stage  where the solve stands, for people
  virtual void save(const std::string& stage, bool is_stopping, const VisitState& visit) = 0;
};

/// What a state belongs to and where it stands: the attributes of its file.
struct StateHeader {
  std::string version, commit;
  std::string job_hash, settings;           // the settings behind the hash
  std::string input_fingerprint, inputs;    // what was read, behind the fingerprint
  std::string item, solver, stage;
  std::string runs;                         // the starts so far
  std::string precision, device, seed;
  std::int64_t counter = 0, iteration = 0;  // of files, of the solve
  std::int64_t ranks = 1;
  double elapsed_s = 0.0;
};

/// The states of one item: <folder>/state_<8-digit counter>.h5, of which the two newest are kept. Every member is
/// collective.
class StateFiles {
 public:
  static constexpr std::int64_t format = 1;
  static constexpr std::size_t num_kept = 2;

  StateFiles(const Communicator& comm, std::string folder) : comm_(comm), folder_(std::move(folder)) {}

  const std::string& folder() const { return folder_; }
  std::string path_of(std::int64_t counter) const;

  /// Newest first.
  std::vector<std::int64_t> counters() const;

  /// Writes the state header.counter and then removes all but the newest. Throws IoError; older states are then still
  /// there.
  /// @return  bytes of the file
  std::int64_t write(const StateHeader& header, const VisitState& visit) const;

  /// Throws DataError or IoError where the file is broken, DataError where it is of another format.
  StateHeader header(std::int64_t counter) const;

  /// Checks all checksums of a file, then reads it into what `visit` lists. Throws DataError or IoError.
  void read(std::int64_t counter, const VisitState& visit) const;

  /// The same without checks, of a file that passed them. `visit` may list a few of its names.
  void reread(std::int64_t counter, const VisitState& visit) const;

  void remove(std::int64_t counter) const;
  /// The folder too.
  void remove_all() const;

 private:
  const Communicator& comm_;
  std::string folder_;
};

/// Bytes of what `visit` lists: on this rank for distributed rows, once for what is replicated.
std::int64_t state_bytes(const VisitState& visit);

}  // namespace thalweg
