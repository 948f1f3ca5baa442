// SPDX-License-Identifier: Apache-2.0
#include "status/chart.h"

#include <fmt/format.h>

#include <algorithm>

#include "status/markup.h"

namespace tlsguard::status {
namespace {

constexpr std::size_t most_slices = 6;  // what is more is "other"
constexpr std::size_t palette = 6;
constexpr double wide = 1000;

std::uint64_t sum_of(const std::vector<Slice>& slices) {
  std::uint64_t sum = 0;
  for (const Slice& slice : slices) sum += slice.count;
  return sum;
}

// The largest first, the rest as one; colours as they come.
void tidy(std::vector<Slice>& slices) {
  std::erase_if(slices, [](const Slice& slice) { return slice.count == 0; });
  bool colored = !slices.empty() && !slices.front().color.empty();
  if (colored) return;
  std::stable_sort(slices.begin(), slices.end(),
                   [](const Slice& a, const Slice& b) { return a.count > b.count; });
  if (slices.size() > most_slices) {
    Slice rest{"other", 0, "c0"};
    for (std::size_t i = most_slices - 1; i < slices.size(); ++i) rest.count += slices[i].count;
    slices.resize(most_slices - 1);
    slices.push_back(std::move(rest));
  }
  for (std::size_t i = 0; i < slices.size(); ++i) {
    if (slices[i].color.empty()) slices[i].color = fmt::format("c{}", i % palette + 1);
  }
}

std::string rect(double x, double width, std::string_view color, std::string_view title = {}) {
  std::string text = fmt::format(R"(<rect class="{}" x="{:.1f}" width="{:.1f}" height="10")", color,
                                 x, std::max(width, 0.0));
  if (title.empty()) return text + "/>";
  return text + fmt::format("><title>{}</title></rect>", title);
}

std::string svg(std::string_view kind, std::string_view label, std::string_view content) {
  return fmt::format(
      R"(<svg class="{}" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" )"
      R"(aria-label="{}">{}</svg>)",
      kind, escaped(label), content);
}

double place(UnixSeconds at, UnixSeconds begin, UnixSeconds end) {
  if (end <= begin) return 0;
  double share = static_cast<double>(at - begin) / static_cast<double>(end - begin);
  return std::clamp(share, 0.0, 1.0) * wide;
}

}  // namespace

std::string stacked_bar(std::string_view title, std::vector<Slice> slices) {
  tidy(slices);
  const std::uint64_t sum = sum_of(slices);
  if (sum == 0) return "";
  std::string bar;
  std::string legend;
  std::string label;
  double x = 0;
  for (const Slice& slice : slices) {
    double width = wide * static_cast<double>(slice.count) / static_cast<double>(sum);
    std::string name = escaped(slice.name);
    std::string part = share(slice.count, sum);
    bar += rect(x, std::max(width - 2, 3.0), slice.color,
                fmt::format("{}: {}", name, grouped(slice.count)));
    legend += fmt::format(R"(<li><i class="{}"></i><span>{}</span><b title="{}">{}</b></li>)",
                          slice.color, name, grouped(slice.count), part);
    label += fmt::format("{}{} {}", label.empty() ? "" : ", ", slice.name, slice.count);
    x += width;
  }
  return fmt::format(R"(<div class="chart"><h4>{}</h4>{}<ul class="legend">{}</ul></div>)",
                     escaped(title), svg("stack", fmt::format("{}: {}", title, label), bar),
                     legend);
}

std::string life_bar(const Life& life, std::string_view color, std::string_view words) {
  double now = place(life.now, life.not_before, life.not_after);
  std::string content = rect(0, wide, "track");
  content += rect(std::min(now, wide - 8), std::max(wide - now, 8.0), color);
  bool marked = life.renew_at > life.now && life.renew_at < life.not_after;
  if (marked) {
    content += rect(place(life.renew_at, life.not_before, life.not_after) - 4, 8, "mark",
                    "renewal " + minute(life.renew_at));
  }
  return svg("life", words, content);
}

std::string expiry(const Life& life, std::string_view color) {
  std::string left = life.not_after > life.now ? length(life.not_after - life.now) + " left"
                                               : "expired " + distance(life.not_after, life.now);
  return life_bar(life, color, left + ", until " + minute(life.not_after)) +
         fmt::format(R"(<p><b>{}</b> <span class="muted">until {}</span></p>)", left,
                     time_tag(life.not_after, day(life.not_after)));
}

std::string share_bar(std::uint64_t part, std::uint64_t whole, std::string_view color) {
  double width = whole == 0 ? 0 : wide * static_cast<double>(part) / static_cast<double>(whole);
  if (part > 0) width = std::max(width, 12.0);
  return svg("thin", fmt::format("{} of {}", part, whole),
             rect(0, wide, "track") + (part > 0 ? rect(0, std::min(width, wide), color) : ""));
}

}  // namespace tlsguard::status
