#include "worker/launcher/scratch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <vector>

#include "common/base/files.h"
#include "common/base/unique_fd.h"
#include "worker/launcher/file_copy.h"

namespace icarus::worker {
namespace {

constexpr unsigned kDirectoryMode = 0700;

Status CreateDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), kDirectoryMode) == 0) return {};
  return ErrnoError("cannot create " + path, errno);
}

Status CopyBlob(const FileRef& input, const std::string& blob_dir, int to) {
  const std::string path = blob_dir + "/" + input.hash.Hex();
  const UniqueFd from(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from) return ErrnoError("cannot open " + path, errno);
  return CopyFile(from.get(), to);
}

Status PlaceInput(const FileRef& input, const AttemptSpec& spec) {
  const std::string path = WorkDirectory(spec.scratch_dir) + "/" + input.name;
  if (input.name.find('/') != std::string::npos) {
    ICARUS_TRY(MakeDirectories(std::filesystem::path(path).parent_path().string(), kDirectoryMode));
  }
  // Written with the owner's right to write, whatever the mode is going to be.
  const UniqueFd to(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!to && (errno == EEXIST || errno == ENOTDIR || errno == EISDIR || errno == ENAMETOOLONG)) {
    return UsageError(ErrnoError("the name is taken or cannot be one", errno).message);
  }
  if (!to) return ErrnoError("cannot create it", errno);
  ICARUS_TRY(input.content ? WriteFully(to.get(), *input.content) : CopyBlob(input, spec.blob_dir, to.get()));
  if (::fchmod(to.get(), input.mode & kPermissionBits) != 0) return ErrnoError("cannot set its mode", errno);
  return {};
}

// A kept file has the name, lies below it as a directory, or is what the name has for a directory.
bool IsInTheWay(const std::set<std::string>& kept, const std::string& name) {
  const auto below = kept.lower_bound(name + "/");
  if (below != kept.end() && below->compare(0, name.size() + 1, name + "/") == 0) return true;
  for (auto end = name.size(); end != std::string::npos;
       end = end == 0 ? std::string::npos : name.rfind('/', end - 1)) {
    if (kept.contains(name.substr(0, end))) return true;
  }
  return false;
}

}  // namespace

bool StaysInside(const std::string& name) {
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string::npos) return false;
  for (const auto& part : std::filesystem::path(name)) {
    if (part == "..") return false;
  }
  return true;
}

Status CreateScratch(const AttemptSpec& spec) {
  ICARUS_TRY(CreateDirectory(spec.scratch_dir));
  if (spec.kind != AttemptKind::kCommand) return {};
  Status created = CreateDirectory(WorkDirectory(spec.scratch_dir));
  if (created) created = CreateDirectory(TemporaryDirectory(spec.scratch_dir));
  if (!created) RemoveScratch(spec.scratch_dir);
  return created;
}

TaskError PlaceInputs(const AttemptSpec& spec) {
  std::set<std::string> kept;
  std::vector<const FileRef*> files;
  for (const FileRef& file : spec.kept) {
    kept.insert(file.name);
    files.push_back(&file);
  }
  for (const FileRef& input : spec.command.inputs) {
    if (!IsInTheWay(kept, input.name)) files.push_back(&input);
  }
  for (const FileRef* file : files) {
    const FileRef& input = *file;
    if (!StaysInside(input.name)) {
      return {TaskErrorKind::kInvalidInput,
              "the input '" + input.name + "' would lie outside the scratch directory; use a relative name without ..",
              {},
              {}};
    }
    const Status placed = PlaceInput(input, spec);
    if (!placed) {
      const bool by_name = placed.error().code == ErrorCode::kUsage;
      return {by_name ? TaskErrorKind::kInvalidInput : TaskErrorKind::kInternal,
              "cannot place the input '" + input.name + "': " + placed.error().message,
              {},
              {}};
    }
  }
  return {};
}

void RemoveScratch(const std::string& scratch_dir) {
  // Most commands leave their directories empty: three calls instead of a walk.
  ::rmdir(TemporaryDirectory(scratch_dir).c_str());
  ::rmdir(WorkDirectory(scratch_dir).c_str());
  if (::rmdir(scratch_dir.c_str()) == 0) return;
  if (RemoveTree(scratch_dir)) return;
  ::chmod(scratch_dir.c_str(), kDirectoryMode);  // the solver may have closed even this one
  const Status removed = RemoveTree(scratch_dir);
  static_cast<void>(removed);
}

}  // namespace icarus::worker
