#include "distributed/state_checksum.hpp"

#include <span>
#include <string>

#include "distributed/checksum.hpp"

namespace thalweg {

namespace {

/// Adds up checksums, each times an odd number that belongs to its name; what is replicated counts on one rank.
class Digester : public StateVisitor {
 public:
  explicit Digester(bool is_root) : is_root_(is_root) {}
  bool is_restoring() const override { return false; }
  std::uint64_t sum = 0;

 private:
  void visit(const std::string& path, Values values, const Form& form) override {
    std::visit([&](const auto* vector) { add(path, std::span(*vector), form); }, values);
  }
  void visit_fixed(const std::string& path, FixedValues values, const Form& form) override {
    std::visit([&](const auto local) { add(path, local, form); }, values);
  }

  void add(const std::string& path, const auto values, const Form& form) {
    if (values.empty() || (!form.own_rows && !is_root_)) return;
    const std::uint64_t weight = 2 * checksum_of_texts(std::span(&path, 1), 0) + 1;
    const auto bytes = std::as_bytes(values);
    const auto size = static_cast<std::int64_t>(bytes.size()), length = static_cast<std::int64_t>(values.size());
    const std::int64_t num_rows = form.own_rows ? length / form.width : 1;
    const std::int64_t first_row = form.own_rows ? form.own_rows->begin : 0;
    sum += weight * checksum_of_rows(bytes, size / num_rows, num_rows, first_row);
  }

  bool is_root_;
};

}  // namespace

std::uint64_t state_checksum(const Communicator& comm, const VisitState& visit) {
  Digester digester(comm.is_root());
  visit(digester);
  return comm.all_reduce(digester.sum, Reduction::sum);
}

}  // namespace thalweg
