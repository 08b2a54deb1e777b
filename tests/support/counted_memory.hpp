// Counts what a test program allocates. For one source of it alone: it replaces operator new. Nothing nvcc compiles.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

/// Live and largest bytes of everything allocated with `new`.
std::atomic<std::int64_t> live_bytes = 0, peak_bytes = 0;

void* counted(std::size_t size, std::size_t alignment) {
  const std::size_t room = std::max<std::size_t>(alignment, 64);
  void* whole = nullptr;
  if (posix_memalign(&whole, room, size + room) != 0) throw std::bad_alloc();
  *static_cast<std::size_t*>(whole) = size;
  const std::int64_t live = live_bytes += static_cast<std::int64_t>(size);
  if (live > peak_bytes) peak_bytes = live;
  return static_cast<char*>(whole) + room;
}
void uncounted(void* pointer, std::size_t alignment) {
  if (!pointer) return;
  char* whole = static_cast<char*>(pointer) - std::max<std::size_t>(alignment, 64);
  live_bytes -= static_cast<std::int64_t>(*reinterpret_cast<std::size_t*>(whole));
  std::free(whole);
}

}  // namespace

void* operator new(std::size_t size) { return counted(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* pointer) noexcept { uncounted(pointer, 1); }
void operator delete(void* pointer, std::size_t) noexcept { uncounted(pointer, 1); }
void operator delete(void* pointer, std::align_val_t alignment) noexcept {
  uncounted(pointer, static_cast<std::size_t>(alignment));
}
void operator delete(void* pointer, std::size_t, std::align_val_t alignment) noexcept {
  uncounted(pointer, static_cast<std::size_t>(alignment));
}
