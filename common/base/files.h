// Small operations on whole files and directories, as Results.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace icarus {

// The whole file; an error names the path. Files over `max_bytes` are refused with the limit named.
Result<std::string> ReadFile(const std::string& path, std::uint64_t max_bytes);
// Written to a temporary beside it, synced, renamed: a reader sees the old content or the new.
Status WriteFileAtomically(const std::string& path, const std::string& content, unsigned mode);
// mkdir -p with this mode for what is created.
Status MakeDirectories(const std::string& path, unsigned mode);
// Removes a tree, making unwritable directories in it writable first. A missing path is success.
Status RemoveTree(const std::string& path);
bool PathExists(const std::string& path);
Result<std::string> AbsolutePath(const std::string& path);

}  // namespace icarus
