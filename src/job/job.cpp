#include "job/job.hpp"

#include <algorithm>

#include "config/read_settings.hpp"

namespace thalweg {

namespace {

bool uses(const std::vector<std::string>& used, const char* section) {
  return std::find(used.begin(), used.end(), section) != used.end();
}

/// Where a key was written, or the name of the job when it was not.
config::Location place_of(const config::Value& root, const std::string& key) {
  const config::Value* value = config::find_value(root, config::split_key(key));
  if (value != nullptr) return value->where;
  return {.file = root.where.file, .folder = root.where.folder};
}

void check_hm_ot(const Job& job, const config::Value& root, config::Problems& problems) {
  const HmOtOptions& hmot = job.hmot;
  if (job.input.time_key.empty())
    problems.add(place_of(root, "input.time_key"), "hmot needs input.time_key; set it to the obs column of the time");
  if (hmot.mode == "transfer" && hmot.reference.empty())
    problems.add(place_of(root, "hmot.mode"), "hmot.mode = \"transfer\" needs hmot.reference; set it to a time");
  if (hmot.mode == "supervised" && job.input.annotation.empty() && hmot.fix_labels.empty() && hmot.fix_q.empty())
    problems.add(place_of(root, "hmot.mode"),
                 "hmot.mode = \"supervised\" needs labels; set input.annotation, [hmot.fix.labels] or [hmot.fix.q]");
  for (const auto& [time, word] : hmot.fix_g)
    if (word == "labels" && job.input.annotation.empty() && hmot.score_annotation.empty())
      problems.add(place_of(root, "hmot.fix.g"), "hmot.fix.g = \"labels\" at time " + time + " needs labels; set input.annotation");
  if (hmot.identity && hmot.mode != "transfer")
    problems.add(place_of(root, "hmot.identity"), "hmot.identity belongs to hmot.mode = \"transfer\"; remove it");
  const bool has_reference = std::count(hmot.clusterings.begin(), hmot.clusterings.end(), "reference") != 0;
  if (has_reference && hmot.reference.empty())
    problems.add(place_of(root, "hmot.clusterings"), "clustering \"reference\" needs hmot.reference; set it to a time");
}

void check_low_rank(const Job& job, const config::Value& root, config::Problems& problems) {
  const std::vector<std::int64_t>& rank = job.lowrank.rank;
  if (rank.size() > 2)
    problems.add(place_of(root, "lowrank.rank"),
                 "lowrank.rank has " + std::to_string(rank.size()) + " entries; give one number or [source, target]");
  if (job.lowrank.form == "lot" && rank.size() == 2 && rank[0] != rank[1])
    problems.add(place_of(root, "lowrank.rank"),
                 "lowrank.form = \"lot\" needs one rank for both sides; give one number");
  if ((job.source.is_given() || job.target.is_given()) && !job.input.days.empty())
    problems.add(place_of(root, "input.days"),
                 "input.days does not choose the cells of [source] and [target]; use source.filter and target.filter, or "
                 "leave [source] and [target] out");
  for (const auto& [side, file] : job.lowrank.g.files)
    if (side != "source" && side != "target")
      problems.add(place_of(root, "lowrank.g." + side), "unknown key 'lowrank.g." + side + "'; known: source, target");
}

}  // namespace

std::vector<config::Section> sections_of(Job& job) {
  std::vector<config::Section> sections = {config::describe(job.top),
                                           config::describe(job.input),
                                           config::describe(job.source, "source"),
                                           config::describe(job.target, "target"),
                                           config::describe(job.solver),
                                           config::describe(job.run),
                                           config::describe(job.output),
                                           config::describe(job.hmot),
                                           config::describe(job.lowrank),
                                           config::describe(job.simulate)};
  return sections;
}

void check_job(const Job& job, const config::Value& root, const std::vector<std::string>& used,
               config::Problems& problems) {
  if (job.output.key_prefix.find('/') != std::string::npos)
    problems.add(place_of(root, "output.key_prefix"), "output.key_prefix = \"" + job.output.key_prefix + "\" holds a slash, which separates groups; leave it out");
  if (uses(used, "hmot")) check_hm_ot(job, root, problems);
  if (uses(used, "lowrank")) check_low_rank(job, root, problems);
}

}  // namespace thalweg
