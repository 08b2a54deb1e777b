#include "core/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace thalweg {

namespace {

/// The one exception to "no global state": a message may be due anywhere, also where no context is.
struct Log {
  spdlog::logger logger{"thalweg", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
  bool is_root = true;
  std::vector<Warning> warnings;
  std::function<void()> before_line;
  std::function<void(const Warning&)> on_warning;

  Log() {
    logger.set_pattern("%v");
    logger.flush_on(spdlog::level::trace);
  }

  void write(spdlog::level::level_enum level, const std::string& line) {
    if (!is_root || !logger.should_log(level)) return;
    if (before_line) before_line();
    logger.log(level, "{}", line);
  }
};

Log& the_log() {
  static Log log;
  return log;
}

}  // namespace

void configure_log(bool is_root, Verbosity verbosity) {
  Log& log = the_log();
  log.is_root = is_root;
  log.logger.set_level(verbosity == Verbosity::quiet    ? spdlog::level::warn
                       : verbosity == Verbosity::normal ? spdlog::level::info
                                                        : spdlog::level::debug);
}

void log_info(const std::string& text) { the_log().write(spdlog::level::info, text); }

void log_detail(const std::string& text) { the_log().write(spdlog::level::debug, text); }

void log_warning(const std::string& code, const std::string& text) {
  Log& log = the_log();
  log.warnings.push_back({code, text});
  log.write(spdlog::level::warn, "warning: " + code + ": " + text);
  if (log.on_warning) log.on_warning(log.warnings.back());
}

void log_error(const std::string& text) {
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    the_log().write(spdlog::level::err, "error: " + text.substr(begin, end - begin));
    begin = end + 1;
  }
}

std::vector<Warning> logged_warnings() { return the_log().warnings; }

void set_before_log_line(std::function<void()> action) { the_log().before_line = std::move(action); }

void set_on_warning(std::function<void(const Warning&)> action) { the_log().on_warning = std::move(action); }

}  // namespace thalweg
