// Messages of the program: whole lines on stderr, written by rank 0.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace thalweg {

enum class Verbosity { quiet, normal, verbose };

/// Chooses who writes and how much; call once in main, before the first message. Warnings and errors
/// are always written. A rank that is not root writes nothing.
void configure_log(bool is_root, Verbosity verbosity);

void log_info(const std::string& text);
/// Written only with --verbose.
void log_detail(const std::string& text);
/// Writes "warning: <code>: <text>" and keeps it for run.json; `code` is a stable word.
void log_warning(const std::string& code, const std::string& text);
/// Writes every line of `text` as "error: <line>".
void log_error(const std::string& text);

struct Warning {
  std::string code;
  std::string text;
};
/// The warnings so far, oldest first.
std::vector<Warning> logged_warnings();

/// `action` runs before each line; a progress bar clears its line there. Empty: nothing runs.
void set_before_log_line(std::function<void()> action);
/// `action` receives each warning as it is logged. Empty: nothing runs.
void set_on_warning(std::function<void(const Warning&)> action);

}  // namespace thalweg
