// Which files of the blob store the records of the job store name.
#pragma once

#include <functional>
#include <vector>

#include "broker/core/records.h"
#include "common/base/result.h"

namespace rocksdb {
class DB;
}  // namespace rocksdb

namespace icarus::broker {

std::vector<ContentHash> FilesOf(const JobRecord& record);
std::vector<ContentHash> FilesOf(const TaskRecord& record);

// Of every job and task, as of one moment; a file may come more than once. After an error some may be missing. Any
// thread.
Status VisitNamedFiles(rocksdb::DB& db, const std::function<void(const ContentHash&)>& visit);

}  // namespace icarus::broker
