// ResultBody to bytes and back: the one body that both ends, and the broker's core, read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/result_body.h"

namespace icarus {

std::string EncodeResultBody(const ResultBody& body);
Result<ResultBody> DecodeResultBody(std::string_view bytes);

// The files of it that lie at the broker: outputs, streams and table.
std::vector<FileRef> StoredFilesOf(const ResultBody& body);

// A table that is too large for a message lies in a file, which travels in chunks. Takes rows and missing out of the
// body and gives what belongs into the file that `body.table` is then to name.
std::string TakeTable(ResultBody& body);
// The reverse; `table` stays. kCorruption, kProtocol: it is no such file, and the body is unchanged.
Status PutTable(ResultBody& body, std::string_view file);

}  // namespace icarus
