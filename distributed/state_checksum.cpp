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
    if (!form.own_rows && !is_root_) return;
    const std::uint64_t weight = 2 * checksum_of_texts(std::span(&path, 1), 0) + 1;
    std::visit(
        [&](const auto* vector) {
          const auto bytes = std::as_bytes(std::span(*vector));
          const std::int64_t size = static_cast<std::int64_t>(bytes.size()), length = static_cast<std::int64_t>(vector->size());
          if (length == 0) return;
          const std::int64_t num_rows = form.own_rows ? length / form.width : 1, first_row = form.own_rows ? form.own_rows->begin : 0;
          sum += weight * checksum_of_rows(bytes, size / num_rows, num_rows, first_row);
        },
        values);
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
