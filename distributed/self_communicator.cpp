// A process on its own: every collective is a copy.
#include <cstring>

#include "distributed/communicator.hpp"

namespace thalweg {

namespace {

class DoneExchange final : public Exchange {
 public:
  bool advance() override { return true; }
  void wait() override {}
};

class SelfCommunicator final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string name() const override { return "self"; }
  void barrier() const override {}
  std::unique_ptr<Communicator> split(int, int) const override { return make_self_communicator(); }

 protected:
  void all_reduce_raw(void*, std::int64_t, ElementType, Reduction) const override {}
  void broadcast_raw(void*, std::int64_t, int) const override {}
  void all_gather_raw(const void* local, std::span<const std::int64_t> bytes, void* all) const override {
    copy(local, bytes[0], all);
  }
  void all_to_all_raw(const void* send, std::span<const std::int64_t> send_bytes, void* received,
                      std::span<const std::int64_t>) const override {
    copy(send, send_bytes[0], received);
  }
  std::unique_ptr<Exchange> send_receive_raw(const Outgoing& send, const Incoming& receive) const override {
    copy(send.data, send.bytes, receive.data);
    return std::make_unique<DoneExchange>();
  }

 private:
  static void copy(const void* from, std::int64_t bytes, void* to) {
    if (bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));
  }
};

}  // namespace

std::unique_ptr<Communicator> make_self_communicator() { return std::make_unique<SelfCommunicator>(); }

}  // namespace thalweg
