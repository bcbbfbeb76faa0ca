#include "client/cli/task_output.h"

#include <cstdio>

namespace icarus::client {
namespace {

Status Write(Client& client, const std::optional<FileRef>& file, std::FILE* stream) {
  if (!file) return {};
  ICARUS_ASSIGN(const std::string content, client.ReadBlob(*file));
  std::fwrite(content.data(), 1, content.size(), stream);
  std::fflush(stream);
  return {};
}

}  // namespace

Status WriteTaskOutput(Client& client, const ResultBody& body) {
  ICARUS_TRY(Write(client, body.stdout_file, stdout));
  ICARUS_TRY(Write(client, body.stderr_file, stderr));
  for (const std::string& warning : body.warnings) std::fprintf(stderr, "icarus: warning: %s\n", warning.c_str());
  return {};
}

}  // namespace icarus::client
