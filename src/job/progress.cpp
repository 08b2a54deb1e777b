#include "job/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "core/log.hpp"

namespace thalweg {

namespace {

constexpr double bar_interval_s = 0.2;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string duration_text(double seconds) {
  if (seconds < 10.0) return fmt::format("{:.1f} s", seconds);
  if (seconds < 600.0) return fmt::format("{:.0f} s", seconds);
  if (seconds < 36000.0) return fmt::format("{:.0f} min", seconds / 60.0);
  return fmt::format("{:.0f} h", seconds / 3600.0);
}

std::string bytes_text(std::int64_t bytes) {
  const auto value = static_cast<double>(bytes);
  return value < 1e9 ? fmt::format("{:.0f} MB", value / 1e6) : fmt::format("{:.1f} GB", value / 1e9);
}

void add_number(std::string& line, const char* name, double value, int digits) {
  if (std::isfinite(value)) line += fmt::format("  {} {:.{}g}", name, value, digits);
}

Event event_of(const char* kind, const ProgressState& state) {
  Event event{.event = kind, .pair = state.problem, .iteration = state.iteration};
  event.marginal_error = state.marginal_error;
  event.gap = state.gap;
  event.epsilon = state.epsilon;
  event.objective = state.objective;
  if (state.bytes > 0) event.bytes = state.bytes;
  return event;
}

}  // namespace

Progress::Progress(const RunOptions& options, bool is_root, bool is_quiet, EventLog& events, int descriptor,
                   Seconds seconds)
    : every_s_(options.progress_every_s),
      events_(events),
      descriptor_(descriptor),
      seconds_(seconds ? std::move(seconds) : steady_seconds) {
  begin_problem();
  if (!is_root || is_quiet || options.progress == "none") return;
  const bool wants_bar = options.progress == "bar" || (options.progress == "auto" && isatty(descriptor) != 0);
  mode_ = wants_bar ? Mode::bar : Mode::lines;
  if (mode_ == Mode::bar) set_before_log_line([this] { clear_bar(); });
  else last_shown_ = seconds_();
}

Progress::~Progress() {
  if (mode_ != Mode::bar) return;
  clear_bar();
  set_before_log_line({});
}

void Progress::check(const ProgressState& state) {
  events_.write(event_of("check", state));
  const double now = seconds_();
  if (is_running_ && state.problem != problem_) problem_start_ = now;
  if (!is_running_ || state.problem != problem_ || state.level != level_) eta_.restart();
  is_running_ = true;
  problem_ = state.problem;
  level_ = state.level;
  eta_.add(now, state.error);
  if (mode_ == Mode::none || now - last_shown_ < (mode_ == Mode::bar ? bar_interval_s : every_s_)) return;
  last_shown_ = now;
  if (mode_ == Mode::bar) show_bar(line_of(state));
  else write(line_of(state) + "\n");
}

void Progress::finish(const ProgressState& state, StopReason reason) {
  Event event = event_of("pair", state);
  event.text = name_of(reason);
  events_.write(event);
  eta_.restart();
  clear_bar();
  if (mode_ != Mode::none) write(line_of(state) + "  " + name_of(reason) + "\n");
  is_running_ = false;
  begin_problem();
}

std::string Progress::line_of(const ProgressState& state) const {
  std::string line = state.problem;
  if (state.num_levels > 0) line += fmt::format("  level {}/{}", state.level, state.num_levels);
  line += fmt::format("  iter {}", state.iteration);
  add_number(line, "objective", state.objective, 6);
  add_number(line, "marginal", state.marginal_error, 2);
  add_number(line, "gap", state.gap, 2);
  add_number(line, "eps", state.epsilon, 3);
  line += "  " + duration_text(seconds_() - problem_start_);
  if (const auto left = eta_.seconds_left(state.tolerance)) line += "  eta " + duration_text(*left);
  if (state.bytes > 0) line += "  " + bytes_text(state.bytes);
  return line;
}

/// Redraws the line: carriage return, text, erase to the end of the line.
void Progress::show_bar(const std::string& line) {
  write("\r" + line + "\x1b[K");
  bar_is_drawn_ = true;
}

void Progress::clear_bar() {
  if (!bar_is_drawn_) return;
  write("\r\x1b[K");
  bar_is_drawn_ = false;
}

void Progress::write(const std::string& text) const {
  // A closed terminal must not end the run: what cannot be shown is lost.
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
    if (count <= 0) return;
    done += static_cast<std::size_t>(count);
  }
}

}  // namespace thalweg
