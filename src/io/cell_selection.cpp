#include "io/cell_selection.hpp"

#include <algorithm>
#include <numeric>

#include "core/closest_name.hpp"
#include "core/format_number.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

/// A column with more different times than this is no column of time points.
constexpr std::size_t most_times = 10000;

enum Reason : std::int32_t { missing_time, filtered, other_day, num_reasons };

RowRange share_of_rows(const AnnDataReader& reader) {
  return Partition(reader.num_obs(), reader.comm().size()).rows_of(reader.comm().rank());
}

/// "" or " after filter batch=['a', 'b']".
std::string filter_text(const SelectionRequest& request) {
  std::string text;
  for (const auto& [column, values] : request.filter) {
    text += (text.empty() ? " after filter " : ", ") + column + "=[";
    for (std::size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "'" : ", '") + values[i] + "'";
    text += "]";
  }
  return text;
}

/// Whether each category is one of the values asked for, by text or as a number.
std::vector<bool> wanted_categories(const Labels& labels, const std::vector<std::string>& values, const std::string& where) {
  std::vector<bool> wanted(labels.categories.size(), false);
  for (const std::string& value : values) {
    double number = 0, other = 0;
    const bool is_number = parse_number(value, number);
    bool found = false;
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      const std::string& category = labels.categories[k];
      if (category != value && !(is_number && parse_number(category, other) && other == number)) continue;
      wanted[k] = found = true;
    }
    if (!found)
      throw DataError("value '" + value + "' of the filter not found in " + where + "; " +
                      available_names(value, labels.categories) + "; correct input.filter");
  }
  return wanted;
}

/// Rows that pass all filters.
std::vector<bool> filter_rows(const AnnDataReader& reader, const SelectionRequest& request, std::vector<KeyInfo>& keys) {
  const RowRange rows = share_of_rows(reader);
  std::vector<bool> kept(static_cast<std::size_t>(rows.size()), true);
  for (const auto& [name, values] : request.filter) {
    const Column column = reader.column(name, "input.filter");
    std::uint64_t checksum = 0;
    const Labels labels = reader.obs().read_labels(column, rows, &checksum);
    keys.push_back(column_info(reader, column, checksum));
    const std::vector<bool> wanted = wanted_categories(labels, values, "obs column '" + column.name + "' of " + reader.file().path());
    for (std::size_t i = 0; i < kept.size(); ++i)
      if (labels.codes[i] < 0 || !wanted[static_cast<std::size_t>(labels.codes[i])]) kept[i] = false;
  }
  return kept;
}

struct Times {
  TimeAxis axis;
  Labels labels;
};

Times read_times(const AnnDataReader& reader, const SelectionRequest& request, std::vector<KeyInfo>& keys) {
  const RowRange rows = share_of_rows(reader);
  Times times;
  if (request.time_key.empty()) {
    times.labels.codes.assign(static_cast<std::size_t>(rows.size()), 0);
    times.labels.categories = {"0"};
  } else {
    const Column column = reader.column(request.time_key, "input.time_key");
    std::uint64_t checksum = 0;
    times.labels = reader.obs().read_labels(column, rows, &checksum);
    keys.push_back(column_info(reader, column, checksum));
  }
  const std::string where = "obs column '" + column_name(request.time_key) + "' of " + reader.file().path();
  const std::size_t count = times.labels.categories.size();
  if (count > most_times)
    throw DataError(where + " has " + std::to_string(count) + " different values; a time column has at most " +
                    std::to_string(most_times) + "; set input.time_key");
  times.axis = time_axis(times.labels.categories, times.labels.ordered, request.days, where);
  return times;
}

/// Point of each row; rows without a time or filtered out have the reason, as -1 - reason.
std::vector<std::int32_t> point_of_rows(const Times& times, const std::vector<bool>& kept) {
  std::vector<std::int32_t> points;
  points.reserve(kept.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const std::int32_t code = times.labels.codes[i];
    if (code < 0) points.push_back(-1 - missing_time);
    else if (!kept[i]) points.push_back(-1 - filtered);
    else {
      const std::int32_t point = times.axis.point_of_category[static_cast<std::size_t>(code)];
      points.push_back(point < 0 ? -1 - other_day : point);
    }
  }
  return points;
}

std::string times_with_cells(const TimeAxis& axis, const std::vector<std::int64_t>& counts) {
  std::string text;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] == 0) continue;
    double number = 0;
    const std::string& name = axis.points[k].name;
    text += (text.empty() ? "" : ", ") + (parse_number(name, number) ? shortest_number(number) : name) + " (" +
            std::to_string(counts[k]) + ")";
  }
  return text.empty() ? "none" : text;
}

/// Indices of the points that become slices, in order.
std::vector<std::int32_t> choose_points(const Times& times, const std::vector<std::int64_t>& counts,
                                        const SelectionRequest& request) {
  std::vector<std::int32_t> chosen;
  if (request.days.empty()) {
    for (std::size_t k = 0; k < counts.size(); ++k)
      if (counts[k] > 0) chosen.push_back(static_cast<std::int32_t>(k));
    return chosen;
  }
  for (const std::string& day : request.days) {
    const std::int32_t point = find_point(times.axis, times.labels.categories, day);
    if (point < 0 || counts[static_cast<std::size_t>(point)] == 0)
      throw DataError("time " + day + " has 0 cells" + filter_text(request) + "; times with cells: " +
                      times_with_cells(times.axis, counts) + "; correct input.days");
    if (std::find(chosen.begin(), chosen.end(), point) != chosen.end())
      throw DataError("time " + day + " stands twice in input.days; name each time once");
    chosen.push_back(point);
  }
  return chosen;
}

}  // namespace

KeyInfo column_info(const AnnDataReader& reader, const Column& column, std::uint64_t checksum) {
  return {"obs/" + column.name, {reader.num_obs()}, column.type, reader.comm().all_reduce(checksum, Reduction::sum)};
}

Selection select_cells(const AnnDataReader& reader, const SelectionRequest& request) {
  const Communicator& comm = reader.comm();
  Selection selection;
  const Times times = read_times(reader, request, selection.keys);
  const std::vector<bool> kept = filter_rows(reader, request, selection.keys);
  std::vector<std::int32_t> points = point_of_rows(times, kept);

  std::vector<std::int64_t> dropped(num_reasons, 0), counts(times.axis.points.size(), 0);
  for (const std::int32_t point : points) ++(point < 0 ? dropped[static_cast<std::size_t>(-1 - point)] : counts[static_cast<std::size_t>(point)]);
  comm.all_reduce(std::span<std::int64_t>(dropped), Reduction::sum);
  comm.all_reduce(std::span<std::int64_t>(counts), Reduction::sum);

  const std::vector<std::int32_t> chosen = choose_points(times, counts, request);
  if (chosen.empty())
    throw DataError("no cells" + filter_text(request) + " in " + reader.file().path() + " (" + std::to_string(reader.num_obs()) +
                    " rows); nothing to compute");
  std::vector<std::int32_t> slice_of_point(counts.size(), -1);
  for (std::size_t s = 0; s < chosen.size(); ++s) {
    const auto point = static_cast<std::size_t>(chosen[s]);
    slice_of_point[point] = static_cast<std::int32_t>(s);
    selection.slices.push_back(times.axis.points[point]);
    selection.slice_sizes.push_back(counts[point]);
  }
  for (std::int32_t& point : points) point = point < 0 ? -1 : slice_of_point[static_cast<std::size_t>(point)];
  const std::int64_t with_point = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const std::int64_t used = std::accumulate(selection.slice_sizes.begin(), selection.slice_sizes.end(), std::int64_t{0});
  dropped[other_day] += with_point - used;
  constexpr const char* names[num_reasons] = {"missing_time", "filter", "days"};
  for (std::size_t r = 0; r < num_reasons; ++r)
    if (dropped[r] > 0) selection.dropped[names[r]] = dropped[r];
  selection.slice_of_row = std::move(points);
  selection.note = times.axis.note;
  return selection;
}

}  // namespace thalweg
