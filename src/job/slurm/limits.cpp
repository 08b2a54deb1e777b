#include "job/slurm/limits.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>
#include <vector>

#include "config/read_settings.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t least_lead_s = 120;  // Slurm looks at limits every 30 s

/// Larger numbers are no sizes or times, and their products would leave 64 bits.
constexpr std::int64_t largest_number = 1'000'000'000'000;

/// A number that is all of the text.
std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_good = error == std::errc() && end == text.data() + text.size() && number >= 0 && number <= largest_number;
  return is_good ? std::optional(number) : std::nullopt;
}

/// The numbers between colons; nothing when a part is none.
std::optional<std::vector<std::int64_t>> numbers_between_colons(std::string_view text) {
  std::vector<std::int64_t> numbers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    const auto number = whole_number(text.substr(begin, end - begin));
    if (!number) return {};
    numbers.push_back(*number);
    begin = end + 1;
  }
  return numbers;
}

/// What is wrong with the keys of [submit], each at its place.
class Checker {
 public:
  Checker(const config::Value& root, config::Problems& problems) : root_(root), problems_(problems) {}

  void add(const std::string& key, const std::string& text) {
    const config::Value* value = config::find_value(root_, {SubmitOptions::section, key});
    const config::Location job{.file = root_.where.file, .folder = root_.where.folder};
    problems_.add(value == nullptr ? job : value->where, "submit." + key + text);
  }

  /// A name that stands in an #SBATCH line or after module load.
  void check_name(const std::string& key, const std::string& name) {
    const auto is_bad = [](unsigned char c) { return std::isspace(c) != 0 || std::iscntrl(c) != 0 || c == '"' || c == '\''; };
    if (std::any_of(name.begin(), name.end(), is_bad)) add(key, " = \"" + name + "\" holds a space or a quote; leave it out");
  }

  void check_line(const std::string& key, const std::string& line) {
    if (line.find('\n') != std::string::npos || line.find('\r') != std::string::npos)
      add(key, " holds a text of several lines; give one line a text");
  }

 private:
  const config::Value& root_;
  config::Problems& problems_;
};

void check_limits(const SubmitOptions& options, Checker& checker) {
  const auto seconds = seconds_of_limit(options.time);
  if (!seconds) checker.add("time", " = \"" + options.time + "\" is no time limit; write hours:minutes:seconds, days-hours or minutes");
  if (options.memory != "auto" && !mebibytes_of_size(options.memory))
    checker.add("memory", " = \"" + options.memory + "\" is no size; write \"auto\", \"0\", or a number with K, M, G or T");
  if (seconds && options.requeue && signal_lead(options) >= *seconds)
    checker.add("signal_lead_s", " = " + std::to_string(signal_lead(options)) + " leaves nothing of submit.time = \"" + options.time +
                                     "\"; raise the limit, or give less");
}

void check_texts(const SubmitOptions& options, Checker& checker) {
  checker.check_name("partition", options.partition);
  checker.check_name("account", options.account);
  checker.check_name("qos", options.qos);
  checker.check_name("constraint", options.constraint);
  for (const std::string& name : options.modules) checker.check_name("modules", name);
  checker.check_line("container", options.container);
  for (const std::string& line : options.prologue) checker.check_line("prologue", line);
  for (const std::string& line : options.extra_sbatch) {
    checker.check_line("extra_sbatch", line);
    if (!line.starts_with("-")) checker.add("extra_sbatch", " = \"" + line + "\" is no option; it begins with --");
  }
}

bool is_value_of(const std::string& array, const std::string& value) {
  if (array == "pairs") {
    const std::size_t colon = value.find(':');
    return colon != std::string::npos && colon > 0 && colon + 1 < value.size();
  }
  const auto number = whole_number(value);  // as it is written in a job file: 007 is none
  return number && std::to_string(*number) == value && (array == "seeds" || *number > 0);
}

void check_array(const SubmitOptions& options, Checker& checker) {
  if (options.array == "none") {
    if (!options.array_values.empty()) checker.add("array_values", " belongs to submit.array = \"ranks\", \"seeds\" or \"pairs\"; remove it");
    return;
  }
  if (!options.chain.empty()) checker.add("chain", " and submit.array do not go together; submit the array as a job of its own");
  if (options.array_values.empty() && options.array != "pairs")
    checker.add("array", " = \"" + options.array + "\" needs submit.array_values; list the " + options.array);
  for (const std::string& value : options.array_values) {
    if (!is_value_of(options.array, value))
      checker.add("array_values", " holds \"" + value + "\", which is none of " + options.array +
                                      (options.array == "pairs" ? "; write \"t0:t1\"" : "; give whole numbers without leading zeros"));
    if (std::count(options.array_values.begin(), options.array_values.end(), value) > 1)
      checker.add("array_values", " holds \"" + value + "\" twice; remove one");
  }
}

}  // namespace

std::optional<std::int64_t> seconds_of_limit(const std::string& text) {
  const std::string_view whole = text;
  const std::size_t dash = whole.find('-');
  const bool has_days = dash != std::string_view::npos;
  const auto days = has_days ? whole_number(whole.substr(0, dash)) : std::optional<std::int64_t>(0);
  const auto parts = numbers_between_colons(has_days ? whole.substr(dash + 1) : whole);
  if (!days || !parts || parts->size() > 3) return {};
  const auto part = [&](std::size_t i) { return i < parts->size() ? (*parts)[i] : 0; };
  const bool starts_with_hours = has_days || parts->size() == 3;
  const std::int64_t seconds = starts_with_hours ? 3600 * part(0) + 60 * part(1) + part(2) : 60 * part(0) + part(1);
  const std::int64_t all = 86400 * *days + seconds;
  return all > 0 ? std::optional(all) : std::nullopt;
}

std::optional<std::int64_t> mebibytes_of_size(const std::string& text) {
  if (text.empty()) return {};
  const char unit = text.back();
  const bool has_unit = std::isdigit(static_cast<unsigned char>(unit)) == 0;
  const auto number = whole_number(std::string_view(text).substr(0, text.size() - (has_unit ? 1 : 0)));
  if (!number) return {};
  if (!has_unit || unit == 'M') return number;
  if (unit == 'K') return (*number + 1023) / 1024;
  if (unit == 'G') return *number * 1024;
  if (unit == 'T') return *number * 1024 * 1024;
  return {};
}

std::int64_t signal_lead(const SubmitOptions& options) { return options.signal_lead_s.value_or(least_lead_s); }

void check_submit(const SubmitOptions& options, const config::Value& root, config::Problems& problems) {
  Checker checker(root, problems);
  check_limits(options, checker);
  check_texts(options, checker);
  check_array(options, checker);
}

}  // namespace thalweg
