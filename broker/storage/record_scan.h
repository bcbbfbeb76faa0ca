// Reading all records of a job store past what is damaged in its tables.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace rocksdb {
class DB;
}  // namespace rocksdb

namespace icarus::broker {

// Keys behind `after` and before `before` cannot be read. `after` empty: from the beginning; `before` empty: to the
// end.
struct UnreadableRange {
  std::string after;
  std::string before;
  std::string why;
};

// Every record that can be read, in the order of the keys, as it is stored; and each range that cannot. A table is read
// in blocks: one that is damaged costs the records in it, not those behind it.
void ScanRecords(rocksdb::DB& db, const std::function<void(std::string_view key, std::string_view stored)>& visit,
                 const std::function<void(const UnreadableRange&)>& on_unreadable);

// "what lies behind the record of task 7.2 and before the record of job 9 cannot be read: …"
std::string Describe(const UnreadableRange& range);

}  // namespace icarus::broker
