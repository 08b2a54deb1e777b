// States of a solve in memory, and a clock that a test sets: interruptions at every step, without files.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/stop_reason.hpp"
#include "distributed/checkpoint.hpp"
#include "distributed/communicator.hpp"

namespace thalweg::testing_support {

class MemoryCheckpoint : public Checkpoint {
 public:
  bool is_asked = false;  // for a state at every opportunity
  int num_saved = 0, num_restored = 0;

  bool restore(const VisitState& visit) override {
    if (stored_.empty()) return false;
    ++num_restored;
    Reader reader(stored_);
    visit(reader);
    return true;
  }
  void reread(const VisitState& visit) override {
    Reader reader(stored_);
    visit(reader);
  }
  bool is_due(bool) const override { return is_asked; }
  void save(const std::string&, bool, const VisitState& visit) override {
    ++num_saved;
    stored_.clear();
    Writer writer(stored_);
    visit(writer);
    require_equal_names();
  }
  std::size_t bytes_of(const std::string& name) const {
    return std::visit([](const auto& values) { return values.size() * sizeof(values[0]); }, stored_.at(name));
  }
  bool holds(const std::string& name) const { return stored_.contains(name); }
  void forget() { stored_.clear(); }

 private:
  using Stored = std::map<std::string, std::variant<std::vector<double>, std::vector<float>, std::vector<std::int64_t>, std::vector<std::int32_t>>>;

  /// As a file does, to which all ranks write.
  void require_equal_names() const {
    std::string names;
    for (const auto& [name, values] : stored_) names += name + "\n";
    const auto own = static_cast<std::int64_t>(std::hash<std::string>{}(names) >> 1);
    const auto comm = make_world_communicator();
    if (comm->all_reduce(own, Reduction::min) != comm->all_reduce(own, Reduction::max)) throw DataError("ranks list other states");
  }

  class Writer : public StateVisitor {
   public:
    explicit Writer(Stored& stored) : stored_(stored) {}
    bool is_restoring() const override { return false; }

   private:
    void visit(const std::string& path, Values values, const Form&) override {
      std::visit([&](const auto* vector) {
        if (!stored_.emplace(path, *vector).second) throw DataError(path + " is listed twice");
      }, values);
    }
    void visit_fixed(const std::string& path, FixedValues values, const Form&) override {
      std::visit([&]<class T>(std::span<T> local) {
        if (!stored_.emplace(path, std::vector<T>(local.begin(), local.end())).second) throw DataError(path + " is listed twice");
      }, values);
    }
    Stored& stored_;
  };

  class Reader : public StateVisitor {
   public:
    explicit Reader(const Stored& stored) : stored_(stored) {}
    bool is_restoring() const override { return true; }

   private:
    void visit(const std::string& path, Values values, const Form&) override {
      std::visit([&](auto* vector) { *vector = std::get<std::decay_t<decltype(*vector)>>(stored_.at(path)); }, values);
    }
    void visit_fixed(const std::string& path, FixedValues values, const Form&) override {
      std::visit([&]<class T>(std::span<T> local) {
        const auto& there = std::get<std::vector<T>>(stored_.at(path));
        if (there.size() != local.size()) throw DataError(path + " has another size");
        std::copy(there.begin(), there.end(), local.begin());
      }, values);
    }
    const Stored& stored_;
  };

  Stored stored_;
};

/// Told to stop at the `number`-th question; 0: never.
struct StopAt {
  int number = 0, questions = 0;

  std::optional<StopReason> operator()() {
    return ++questions == number ? std::optional(StopReason::interrupted) : std::nullopt;
  }
};

}  // namespace thalweg::testing_support
