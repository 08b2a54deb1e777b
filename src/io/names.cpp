#include "io/names.hpp"

#include <algorithm>
#include <set>
#include <unordered_set>

namespace thalweg {

namespace {

void append_text(std::vector<char>& bytes, const std::string& text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.push_back('\0');  // no text of HDF5 contains one
}

std::vector<std::string> split_texts(const std::vector<char>& bytes) {
  std::vector<std::string> texts;
  for (auto begin = bytes.begin(); begin != bytes.end();) {
    const auto end = std::find(begin, bytes.end(), '\0');
    texts.emplace_back(begin, end);
    begin = end + 1;
  }
  return texts;
}

}  // namespace

void broadcast_texts(const Communicator& comm, std::vector<std::string>& texts) {
  std::vector<char> bytes;
  if (comm.is_root())
    for (const std::string& text : texts) append_text(bytes, text);
  comm.broadcast(bytes);
  texts = split_texts(bytes);
}

std::vector<std::string> distinct_texts(const Communicator& comm, const std::vector<std::string>& texts) {
  std::vector<char> bytes;
  for (const std::string& text : std::unordered_set<std::string>(texts.begin(), texts.end())) append_text(bytes, text);
  const std::vector<std::string> all = split_texts(comm.all_gather(std::span<const char>(bytes)));
  const std::set<std::string> sorted(all.begin(), all.end());
  return {sorted.begin(), sorted.end()};
}

}  // namespace thalweg
