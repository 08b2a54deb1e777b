// States of solves within solves: a part is kept with the whole around it, in one file.
#pragma once

#include <string>
#include <utility>

#include "distributed/checkpoint.hpp"

namespace thalweg {

/// What keeps the state of a part of a solve: saved with, and found in, that of the whole.
class PartCheckpoint : public Checkpoint {
 public:
  /// @param whole      keeps the whole
  /// @param stage      where the whole stands, for people
  /// @param around     lists everything else of the whole, the same while the part runs
  /// @param is_there   whether the state of the whole that was restored has this part
  PartCheckpoint(Checkpoint& whole, std::string stage, VisitState around, bool is_there)
      : whole_(whole), stage_(std::move(stage)), around_(std::move(around)), is_there_(is_there) {}

  bool restore(const VisitState& visit) override {
    if (!std::exchange(is_there_, false)) return false;
    reread(visit);
    return true;
  }
  void reread(const VisitState& visit) override {
    whole_.reread([&](StateVisitor& v) { v.part(name, [&] { visit(v); }); });
  }
  /// Stages of a part are none of the whole.
  bool is_due(bool) const override { return whole_.is_due(); }
  void save(const std::string&, bool is_stopping, const VisitState& visit) override {
    whole_.save(stage_, is_stopping, [&](StateVisitor& v) {
      around_(v);
      v.part(name, [&] { visit(v); });
    });
  }

 private:
  static constexpr const char* name = "part";

  Checkpoint& whole_;
  std::string stage_;
  VisitState around_;
  bool is_there_;
};

}  // namespace thalweg
