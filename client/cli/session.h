// Session: what every verb needs: the options, the home, the broker when it is asked for, and the way out for data and
// messages. One a process, used by its one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client/cli/options.h"
#include "client/lib/client.h"
#include "client/output/display.h"
#include "client/output/json_text.h"
#include "common/base/result.h"
#include "common/config/environment.h"
#include "common/config/home.h"
#include "common/transport/signal_fd.h"

namespace icarus::client {

class Session {
 public:
  explicit Session(Options options);
  ~Session();

  const Options& options() const { return options_; }
  bool json() const { return options_.common.format == Format::kJson; }
  bool csv() const { return options_.common.format == Format::kCsv; }
  bool text() const { return options_.common.format == Format::kText; }
  bool quiet() const { return options_.common.quiet; }
  bool shows_progress() const { return !options_.common.quiet && !options_.common.no_progress; }
  const Environment& environment() const { return environment_; }

  // The home, not created.
  Result<Home> FindHome() const;
  // The connection, made at the first call.
  Result<Client*> Broker();

  // From now on Ctrl-C ends waiting instead of the program: RunUntil returns kInterrupted. To be called before Broker:
  // the connection's threads inherit what is blocked, and one that has not blocked the signal yet would be killed by
  // it.
  Status CatchInterrupt();
  // Whether Ctrl-C was pressed since.
  bool interrupted() const;

  // stdout.
  void Print(const std::string& text) const;
  void PrintJson(const Json& json) const;  // a document on a line of its own
  TextStyle style() const;
  // JSON as it is, or as CSV; REQUIRES one of these formats.
  void PrintDocument(const Json& json) const;

  // stderr, a line; nothing with -q.
  void Note(const std::string& line) const;

 private:
  Options options_;
  Environment environment_;
  std::optional<SignalFd> interrupt_;
  std::unique_ptr<Client> client_;
};

// An error as the user sees it: a line on stderr, and with -o json the object on stdout.
void ReportError(const Error& error, Format format);

}  // namespace icarus::client
