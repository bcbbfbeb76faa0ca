// The home: the directory with the store, the logs and the access file of one broker and its workers.
#pragma once

#include <string>

#include "common/base/result.h"
#include "common/config/environment.h"

namespace icarus {

struct Home {
  std::string dir;  // absolute

  std::string store() const { return dir + "/store"; }
  std::string cache() const { return dir + "/cache"; }
  std::string blobs() const { return dir + "/blobs"; }
  std::string logs() const { return dir + "/logs"; }
  std::string workers() const { return dir + "/workers"; }
  std::string worker_dir(const std::string& name) const { return workers() + "/" + name; }
  std::string access_file() const { return dir + "/access.json"; }
};

// `flag` (--home), else $ICARUS_HOME, else $XDG_STATE_HOME/icarus, else ~/.local/state/icarus. Touches nothing.
Result<Home> LocateHome(const std::string& flag, const Environment& environment);

// LocateHome, then creates the directory (0700) if it is not there. kRefused when it cannot be created or written, with
// the reason and what to do.
Result<Home> ResolveHome(const std::string& flag, const Environment& environment);

// The directory for the sockets of this home, made if it is not there: $XDG_RUNTIME_DIR/icarus-<hash of the home>, else
// icarus-<uid>-<hash> under $TMPDIR, else under /tmp; the first that is usable and short enough for a socket path.
// kRefused when it is not a real directory, is another user's or is open to others: someone may have put it there.
Result<std::string> SocketDirectory(const Home& home, const Environment& environment);

// $XDG_CONFIG_HOME/icarus/config.toml, else ~/.config/icarus/config.toml; "" when there is no home directory.
std::string DefaultConfigFile(const Environment& environment);

}  // namespace icarus
