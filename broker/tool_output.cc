#include "broker/tool_output.h"

#include <nlohmann/json.hpp>

#include "common/base/clock.h"

namespace icarus::broker {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& document) { return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

// What there is of everything that is promised.
template <class Report>
std::string Counts(const Report& report) {
  return std::to_string(report.jobs) + " jobs, " + std::to_string(report.tasks) + " task records, " +
         std::to_string(report.bodies) + " bodies, " + std::to_string(report.blobs) + " blobs";
}

}  // namespace

std::string VerifyText(const VerifyReport& report) {
  std::string text;
  for (const std::string& finding : report.findings) text += "damaged: " + finding + "\n";
  for (const std::string& note : report.notes) text += "note: " + note + "\n";
  return text + Counts(report) + ", " + std::to_string(report.findings.size()) + " findings\n";
}

std::string VerifyJson(const VerifyReport& report) {
  return Dump({{"jobs", report.jobs},
               {"tasks", report.tasks},
               {"bodies", report.bodies},
               {"blobs", report.blobs},
               {"cache_entries", report.cache_entries},
               {"findings", report.findings},
               {"notes", report.notes},
               {"lineage", report.lineage},
               {"epoch", report.epoch},
               {"sequence", report.sequence}});
}

std::string SalvageText(const SalvageReport& report, const std::string& target) {
  std::string text;
  for (const std::string& missing : report.missing) text += "missing: " + missing + "\n";
  return text + Counts(report) + " saved to " + target + "; " + std::to_string(report.pending_again) +
         " tasks are pending again\n" + "use it: icarus up --home " + target + "\n";
}

std::string SalvageJson(const SalvageReport& report, const std::string& target) {
  return Dump({{"home", target},
               {"jobs", report.jobs},
               {"tasks", report.tasks},
               {"bodies", report.bodies},
               {"blobs", report.blobs},
               {"pending_again", report.pending_again},
               {"missing", report.missing},
               {"lineage", report.lineage},
               {"epoch", report.epoch}});
}

std::string BackupText(const BackupNote& note, const std::string& target) {
  return "backup of " + FormatUtc(note.wall_ms) + " in " + target + ": up to batch " + std::to_string(note.sequence) +
         ", " + std::to_string(note.blobs) + " blobs\nuse it: icarus-broker --home NEWHOME --restore " + target + "\n";
}

std::string RestoreText(const BackupNote& note, const std::string& home) {
  return "restored the backup of " + FormatUtc(note.wall_ms) + ", up to batch " + std::to_string(note.sequence) +
         ", to " + home + "\nuse it: icarus up --home " + home + "\n";
}

std::string BackupJson(const BackupNote& note, const std::string& directory) {
  return Dump({{"directory", directory},
               {"lineage", note.lineage},
               {"epoch", note.epoch},
               {"sequence", note.sequence},
               {"time", FormatUtc(note.wall_ms)},
               {"blobs", note.blobs}});
}

std::string ErrorJson(const Error& error) {
  return Dump({{"error", {{"kind", ErrorKindName(error.code)}, {"message", error.message}}}});
}

}  // namespace icarus::broker
