#include "client/output/service_text.h"

#include <fmt/format.h>

#include "client/output/derived.h"
#include "client/output/text_table.h"
#include "common/base/text.h"

namespace icarus::client {
namespace {

Colour WorkerColour(const std::string& state) {
  if (state == "active") return Colour::kGreen;
  return state == "lost" ? Colour::kRed : Colour::kYellow;
}

std::string SolversText(const WorkerInfo& worker) {
  std::string text;
  for (const auto& [name, identity] : worker.solvers) {
    text += (text.empty() ? "" : ", ") + name;
    if (!identity.empty()) text += " " + SplitIdentity(identity).version;
  }
  return text;
}

std::string StateText(const WorkerInfo& worker) {
  return worker.held_reason.empty() ? worker.state : worker.state + ": " + worker.held_reason;
}

std::string Line(std::string_view label, const std::string& text) { return fmt::format("{:<12}{}\n", label, text); }

}  // namespace

std::string WorkerTableText(const std::vector<WorkerInfo>& workers, const TextStyle& style) {
  if (workers.empty()) return "no workers; start one with: icarus up\n";
  TextTable table;
  table.AddColumn("worker");
  table.AddColumn("host");
  for (const char* title : {"busy", "queued", "cpu", "memory", "disk", "done", "failed"}) {
    table.AddColumn(title, Align::kRight);
  }
  table.AddColumn("state");
  table.AddColumn("solvers");
  for (const WorkerInfo& worker : workers) {
    const Telemetry& load = worker.telemetry;
    const auto percent = [&](double value) {
      return load.wall_ms == 0 ? std::string() : fmt::format("{:.0f} %", value);
    };
    table.AddRow({worker.name, worker.host, fmt::format("{}/{}", worker.running, worker.slots),
                  worker.queued > 0 ? std::to_string(worker.queued) : "", percent(load.cpu_percent),
                  percent(load.memory_percent), percent(load.disk_percent), std::to_string(worker.completed),
                  Cell(worker.failed > 0 ? std::to_string(worker.failed) : "", Colour::kRed),
                  Cell(StateText(worker), WorkerColour(worker.state)), SolversText(worker)});
  }
  table.DropEmptyColumns();
  return table.Render(style);
}

std::string CacheText(const CacheReply& reply) {
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return fmt::format("{:.1f} %", Percent(static_cast<double>(part), static_cast<double>(whole)));
  };
  std::string out = Line("entries", fmt::format("{} of {} ({})", reply.entries, reply.max_entries,
                                                share(reply.entries, reply.max_entries)));
  out += Line("size", fmt::format("{} of {} ({})", FormatSize(reply.bytes), FormatSize(reply.max_bytes),
                                  share(reply.bytes, reply.max_bytes)));
  const std::uint64_t asked = reply.hits + reply.misses;
  out += Line("hits", fmt::format("{} of {} ({})", reply.hits, asked, share(reply.hits, asked)));
  out += Line("joined", fmt::format("{} (equal work that was under way)", reply.joined));
  if (reply.value_hits + reply.value_misses > 0) {
    out += Line("kept values", fmt::format("{} of {} found (what solvers keep for one another)", reply.value_hits,
                                           reply.value_hits + reply.value_misses));
  }
  out += Line("evictions", std::to_string(reply.evictions));
  out += Line("expirations", std::to_string(reply.expirations));
  if (reply.damaged > 0) out += Line("damaged", fmt::format("{} (read as misses)", reply.damaged));
  if (reply.dropped_puts > 0) out += Line("not stored", std::to_string(reply.dropped_puts));
  if (!reply.paused.empty()) out += Line("paused", reply.paused);
  return out;
}

std::string MaintenanceText(const UpkeepReply& reply) {
  return Line("expired", Counted(reply.expired, "cached result") + " since the round before") +
         Line("jobs", Counted(reply.tasks_cleaned, "task") + " of jobs that are not kept any more") +
         Line("memory", FormatSize(reply.bytes_freed) + " given back");
}

std::string EmergencyText(const UpkeepReply& reply) {
  return Line("cache", "dropped from its memory: " + std::to_string(reply.cache_cleared)) +
         Line("freed", FormatSize(reply.bytes_freed)) +
         Line("stopped", Counted(reply.stopped, "running task") + " of low priority") +
         Line("requeued", Counted(reply.requeued, "task") + "; nothing of low priority starts for a minute");
}

std::string ConfigText(const std::vector<ConfigEntry>& entries, bool with_origin, const TextStyle& style) {
  TextTable table;
  table.AddColumn("key");
  table.AddColumn("value");
  if (with_origin) table.AddColumn("origin");
  for (const ConfigEntry& entry : entries) {
    std::vector<Cell> cells = {entry.key, entry.value};
    if (with_origin) cells.emplace_back(entry.origin);
    table.AddRow(std::move(cells));
  }
  return table.Render(style);
}

std::string ErrorLine(const Error& error) {
  std::string line = "icarus: " + Printable(error.message);
  if (error.retry_after_s) line += fmt::format("; try again in {}", FormatDuration(*error.retry_after_s));
  return line;
}

}  // namespace icarus::client
