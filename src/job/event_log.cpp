#include "job/event_log.hpp"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/log.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

void set_number(nlohmann::ordered_json& json, const char* key, double value) {
  if (std::isfinite(value)) json[key] = value;
}

}  // namespace

EventLog::EventLog(const std::string& path, bool is_held, bool goes_on) : path_(path), is_held_(true), goes_on_(goes_on) {
  if (!is_held) open();
}

void EventLog::open() {
  if (!is_held_) return;
  is_held_ = false;
  file_.open(path_, goes_on_ ? std::ios::app : std::ios::trunc);
  if (!file_) throw IoError("cannot write " + path_ + ": " + std::strerror(errno));
  file_ << held_ << std::flush;
}

void EventLog::write(const Event& event) {
  if (!is_held_ && !file_.is_open()) return;
  nlohmann::ordered_json json;
  json["t"] = std::round(std::chrono::duration<double>(Clock::now() - start_).count() * 1e6) * 1e-6;
  json["event"] = event.event;
  if (!event.pair.empty()) json["pair"] = event.pair;
  if (event.iteration) json["iteration"] = *event.iteration;
  set_number(json, "marginal_error", event.marginal_error);
  set_number(json, "gap", event.gap);
  set_number(json, "epsilon", event.epsilon);
  set_number(json, "objective", event.objective);
  if (event.bytes) json["bytes"] = *event.bytes;
  if (!event.text.empty()) json["text"] = event.text;
  const std::string line = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
  if (is_held_) {
    held_ += line;
    return;
  }
  file_ << line << std::flush;
  if (file_) return;
  file_.close();
  log_warning("event_log", "cannot write " + path_ + " any more: " + std::strerror(errno));
}

}  // namespace thalweg
