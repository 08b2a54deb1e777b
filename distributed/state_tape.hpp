// The state of a solve in one vector of numbers: to be kept within another state.
#pragma once

#include <utility>
#include <vector>

#include "distributed/checkpoint.hpp"

namespace thalweg {

/// Keeps the state of a solve on one rank when that is told to stop. Everything listed follows one another, each array
/// after its length; integers below 2^53 and floats are doubles exactly.
class StateTape : public Checkpoint {
 public:
  /// @param numbers   of an earlier run; empty: none
  explicit StateTape(std::vector<double> numbers) : numbers_(std::move(numbers)) {}

  const std::vector<double>& numbers() const { return numbers_; }

  bool restore(const VisitState& visit) override {
    position_ = 0;
    if (numbers_.empty()) return false;
    reread(visit);
    return true;
  }
  /// Goes on where the reading before ended.
  void reread(const VisitState& visit) override {
    Reader reader(*this);
    visit(reader);
  }
  bool is_due(bool) const override { return false; }
  void save(const std::string&, bool, const VisitState& visit) override {
    numbers_.clear();
    Writer writer(numbers_);
    visit(writer);
  }

 private:
  class Writer : public StateVisitor {
   public:
    explicit Writer(std::vector<double>& numbers) : numbers_(numbers) {}
    bool is_restoring() const override { return false; }

   private:
    void visit(const std::string&, Values values, const Form&) override {
      std::visit([&](const auto* vector) { append(vector->begin(), vector->end()); }, values);
    }
    void visit_fixed(const std::string&, FixedValues values, const Form&) override {
      std::visit([&](const auto local) { append(local.begin(), local.end()); }, values);
    }
    void append(auto begin, auto end) {
      numbers_.push_back(static_cast<double>(end - begin));
      for (; begin != end; ++begin) numbers_.push_back(static_cast<double>(*begin));
    }

    std::vector<double>& numbers_;
  };

  class Reader : public StateVisitor {
   public:
    explicit Reader(StateTape& tape) : tape_(tape) {}
    bool is_restoring() const override { return true; }

   private:
    void visit(const std::string& path, Values values, const Form&) override {
      std::visit(
          [&](auto* vector) {
            vector->resize(tape_.next_length(path));
            tape_.take(vector->begin(), vector->end());
          },
          values);
    }
    void visit_fixed(const std::string& path, FixedValues values, const Form&) override {
      std::visit(
          [&](const auto local) {
            if (tape_.next_length(path) != local.size()) throw DataError("the state has other sizes of " + path);
            tape_.take(local.begin(), local.end());
          },
          values);
    }
    StateTape& tape_;
  };

  std::size_t next_length(const std::string& path) {
    const std::size_t left = numbers_.size() - position_;
    const std::size_t length = left > 0 ? static_cast<std::size_t>(numbers_[position_++]) : 0;
    if (left == 0 || length > left - 1) throw DataError("the state ends before " + path);
    return length;
  }
  void take(auto begin, auto end) {
    for (; begin != end; ++begin) *begin = static_cast<std::decay_t<decltype(*begin)>>(numbers_[position_++]);
  }

  std::vector<double> numbers_;
  std::size_t position_ = 0;
};

}  // namespace thalweg
