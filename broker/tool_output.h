// What the tools of the broker's store print: lines for people, one document for programs.
#pragma once

#include <string>

#include "broker/storage/store_backup.h"
#include "broker/storage/store_salvage.h"
#include "broker/storage/store_verify.h"

namespace icarus::broker {

// A line a finding, a line a note, and the summary as the last.
std::string VerifyText(const VerifyReport& report);
// {"jobs","tasks","bodies","blobs","cache_entries","findings":[…],"notes":[…],"lineage","epoch","sequence"}
std::string VerifyJson(const VerifyReport& report);
// A line each thing that is missing, what was saved, and how to use it.
std::string SalvageText(const SalvageReport& report, const std::string& target);
// {"home","jobs","tasks","bodies","blobs","pending_again","missing":[…],"lineage","epoch"}
std::string SalvageJson(const SalvageReport& report, const std::string& target);
std::string BackupText(const BackupNote& note, const std::string& target);
std::string RestoreText(const BackupNote& note, const std::string& home);
// {"directory","lineage","epoch","sequence","time","blobs"}: of the store that was copied.
std::string BackupJson(const BackupNote& note, const std::string& directory);
// {"error":{"kind","message"}}
std::string ErrorJson(const Error& error);

}  // namespace icarus::broker
