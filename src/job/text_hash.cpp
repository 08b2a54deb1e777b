#include "job/text_hash.hpp"

#include <fmt/format.h>

// The scalar variant: files are read far slower than it hashes, and the vector one of xxHash 0.8.1
// warns within GCC 12's own headers.
#define XXH_VECTOR 0
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

std::string hexadecimal(XXH64_hash_t hash) { return fmt::format("{:016x}", hash); }

}  // namespace

std::string text_hash(std::string_view text) { return hexadecimal(XXH3_64bits(text.data(), text.size())); }

std::string file_hash(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw IoError("cannot read " + path + ": " + std::strerror(errno));
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), XXH3_freeState);
  XXH3_64bits_reset(state.get());
  std::vector<char> block(1 << 20);
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    XXH3_64bits_update(state.get(), block.data(), static_cast<std::size_t>(file.gcount()));
  }
  return hexadecimal(XXH3_64bits_digest(state.get()));
}

}  // namespace thalweg
