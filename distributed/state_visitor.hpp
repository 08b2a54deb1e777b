// How a solver lists its state: once, for saving, restoring and sizing.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "distributed/error.hpp"
#include "distributed/partition.hpp"

namespace thalweg {

/// Walks through everything that the next step of a solver depends on. A solver lists it in one function,
///
///   void visit_state(StateVisitor& v) {
///     v.rows("f", f_, own_rows);
///     v.replicated("g", g_);
///     v.scalar("iteration", iteration_);
///   }
///
/// which saves, restores or measures it, as the visitor given does. What is listed may depend on what was listed before:
/// a count first, then as many parts. All ranks list the same names in the same order.
class StateVisitor {
 public:
  using Values = std::variant<std::vector<double>*, std::vector<float>*, std::vector<std::int64_t>*, std::vector<std::int32_t>*>;

  using FixedValues = std::variant<std::span<double>, std::span<float>>;

  virtual ~StateVisitor() = default;
  virtual bool is_restoring() const = 0;

  /// The vectors visited must live until the walk is over. Rows that are distributed: this rank holds `own_rows` by the present partition, `width` numbers a row; or every
  /// rank holds nothing.
  template <class T>
  void rows(const std::string& name, std::vector<T>& local, RowRange own_rows, std::int64_t width = 1) {
    visit(prefix_ + name, &local, {.own_rows = own_rows, .width = width});
  }

  /// Rows of numbers that lie where they are, and are restored in place: no copy is made of them.
  template <class T>
  void fixed_rows(const std::string& name, std::span<T> local, RowRange own_rows, std::int64_t width) {
    visit_fixed(prefix_ + name, local, {.own_rows = own_rows, .width = width});
  }
  /// The same of numbers that do not change: not to be called while restoring.
  template <class T>
  void fixed_rows(const std::string& name, std::span<const T> local, RowRange own_rows, std::int64_t width) {
    fixed_rows(name, std::span(const_cast<T*>(local.data()), local.size()), own_rows, width);
  }

  /// The same numbers on all ranks; written by rank 0.
  template <class T>
  void replicated(const std::string& name, std::vector<T>& values) {
    visit(prefix_ + name, &values, {});
  }

  /// A number, truth value or enumerator, the same on all ranks.
  template <class T>
  void scalar(const std::string& name, T& value) {
    if constexpr (std::is_floating_point_v<T>) one<double>(name, value);
    else one<std::int64_t>(name, value);
  }

  /// What may be absent. @param visit_value  lists the value
  template <class T, class Visit>
  void optional(const std::string& name, std::optional<T>& value, Visit&& visit_value) {
    bool is_given = value.has_value();
    scalar(name + "_is_given", is_given);
    if (!is_given) return value.reset();
    if (!value) value.emplace();
    part(name, [&] { visit_value(*value); });
  }

  /// Names visited by `visit_part` are below `name`.
  template <class Visit>
  void part(const std::string& name, Visit&& visit_part) {
    const std::string outer = prefix_;
    prefix_ += name + "/";
    visit_part();
    prefix_ = outer;
  }

  /// Many small vectors of any lengths as two arrays.
  void ragged(const std::string& name, std::span<std::vector<double>* const> vectors);

  /// Structs of numbers as one table. @param fields  fields(record, field) calls field(member) for every member:
  ///                                                 numbers, truth values, enumerators, or optional ones of these
  template <class Record, class Fields>
  void records(const std::string& name, std::vector<Record>& records, Fields&& fields);

 protected:
  struct Form {
    std::optional<RowRange> own_rows = {};  // absent: replicated
    std::int64_t width = 1;
    bool is_temporary = false;              // gone after the visit
  };
  virtual void visit(const std::string& path, Values values, const Form& form) = 0;
  virtual void visit_fixed(const std::string& path, FixedValues values, const Form& form) = 0;

 private:
  template <class T>
  void temporary(const std::string& name, std::vector<T>& values) {
    visit(prefix_ + name, &values, {.is_temporary = true});
  }
  template <class Stored, class T>
  void one(const std::string& name, T& value) {
    std::vector<Stored> values{static_cast<Stored>(value)};
    temporary(name, values);
    if (values.size() != 1) throw DataError("the state has " + std::to_string(values.size()) + " values of " + prefix_ + name);
    value = static_cast<T>(values[0]);
  }

  std::string prefix_;
};

/// Numbers of records on their way into an array of doubles, which holds integers below 2^53 exactly.
class FieldPacker {
 public:
  std::vector<double> numbers;

  template <class T>
  void operator()(const T& member) {
    numbers.push_back(static_cast<double>(member));
  }
  template <class T>
  void operator()(const std::optional<T>& member) {
    numbers.push_back(member ? 1.0 : 0.0);
    numbers.push_back(member ? static_cast<double>(*member) : 0.0);
  }
};

/// And back.
class FieldUnpacker {
 public:
  explicit FieldUnpacker(std::span<const double> numbers) : numbers_(numbers) {}

  template <class T>
  void operator()(T& member) {
    member = static_cast<T>(next());
  }
  template <class T>
  void operator()(std::optional<T>& member) {
    const bool is_given = next() != 0.0;
    const double value = next();
    if (is_given) member = static_cast<T>(value);
    else member.reset();
  }

 private:
  double next() { return numbers_[position_++]; }

  std::span<const double> numbers_;
  std::size_t position_ = 0;
};

template <class Record, class Fields>
void StateVisitor::records(const std::string& name, std::vector<Record>& records, Fields&& fields) {
  FieldPacker packer;
  for (Record& record : records) fields(record, packer);
  temporary(name, packer.numbers);
  if (!is_restoring()) return;
  FieldPacker one_record;
  Record record{};
  fields(record, one_record);
  const std::size_t width = one_record.numbers.size();
  if (packer.numbers.size() % width != 0) throw DataError("the state has a broken table " + prefix_ + name);
  records.assign(packer.numbers.size() / width, Record{});
  FieldUnpacker unpacker(packer.numbers);
  for (Record& restored : records) fields(restored, unpacker);
}

inline void StateVisitor::ragged(const std::string& name, std::span<std::vector<double>* const> vectors) {
  std::vector<double> all;
  std::vector<std::int64_t> sizes;
  for (const std::vector<double>* values : vectors) {
    sizes.push_back(static_cast<std::int64_t>(values->size()));
    all.insert(all.end(), values->begin(), values->end());
  }
  temporary(name + "_sizes", sizes);
  temporary(name, all);
  if (!is_restoring()) return;
  if (sizes.size() != vectors.size())
    throw DataError("the state has " + std::to_string(sizes.size()) + " vectors of " + prefix_ + name + ", not " + std::to_string(vectors.size()));
  auto from = all.begin();
  for (std::size_t k = 0; k < vectors.size(); ++k) {
    if (sizes[k] < 0 || sizes[k] > all.end() - from) throw DataError("the state has broken vectors of " + prefix_ + name);
    vectors[k]->assign(from, from + sizes[k]);
    from += sizes[k];
  }
}

using VisitState = std::function<void(StateVisitor&)>;

}  // namespace thalweg
