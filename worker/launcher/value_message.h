// What a program and its worker say to each other about intermediate values: the lines of the plug-in protocol.
//
//   → {"type":"cache_get","id":1,"key":{…}}       ← {"type":"cache_value","id":1,"value":…|null}
//   → {"type":"cache_put","key":{…},"value":…}    no answer; "compute_s":X says what the value took
//   ← {"type":"error","message":"…"}              a line that was not understood, with its "id" if it had one
//
// Texts in, texts out; members that are not known are passed over.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace icarus::worker {

struct CacheGet {
  std::string id;   // as it was written: the answer repeats it
  std::string key;  // canonical: equal JSON is one key, however it is spelled
};
struct CachePut {
  std::string key;
  std::string value;  // JSON on one line, numbers as they were spelled
  double compute_s = 0;
};
// What is wrong with a line, in words for its author.
struct BadLine {
  std::string id;  // empty: it had none
  std::string message;
};
using ValueLine = std::variant<CacheGet, CachePut, BadLine>;

ValueLine ReadValueLine(std::string_view line);

// Lines with their ends. `value`: JSON; null: there is none.
std::string CacheValueLine(std::string_view id, const std::string* value);
std::string ErrorLine(std::string_view id, std::string_view message);
// For a line that was longer than limits::kValueLineBytes.
std::string TooLongLine();

}  // namespace icarus::worker
