#include "common/protocol/result_codec.h"

#include <utility>

#include "common/protocol/map_codec.h"

namespace icarus {

std::string EncodeResultBody(const ResultBody& body) { return codec::EncodeMap(body); }
Result<ResultBody> DecodeResultBody(std::string_view bytes) { return codec::DecodeMap<ResultBody>(bytes); }

std::vector<FileRef> StoredFilesOf(const ResultBody& body) {
  std::vector<FileRef> files = body.files;
  for (const auto* file : {&body.stdout_file, &body.stderr_file, &body.table}) {
    if (*file) files.push_back(**file);
  }
  std::erase_if(files, [](const FileRef& file) { return !file.IsStored(); });
  return files;
}

std::string TakeTable(ResultBody& body) {
  ResultBody table;
  table.rows = std::exchange(body.rows, {});
  table.missing = std::exchange(body.missing, {});
  return EncodeResultBody(table);
}

Status PutTable(ResultBody& body, std::string_view file) {
  ICARUS_ASSIGN(ResultBody table, DecodeResultBody(file));
  body.rows = std::move(table.rows);
  body.missing = std::move(table.missing);
  return {};
}

}  // namespace icarus
