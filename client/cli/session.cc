#include "client/cli/session.h"

#include <poll.h>

#include <csignal>
#include <cstdio>

#include "client/output/csv.h"
#include "client/output/json.h"
#include "client/output/service_text.h"
#include "client/output/terminal.h"
#include "common/base/version.h"

namespace icarus::client {

Session::Session(Options options) : options_(std::move(options)), environment_(ProcessEnvironment()) {}
Session::~Session() = default;

Result<Home> Session::FindHome() const { return LocateHome(options_.common.home, environment_); }

Result<Client*> Session::Broker() {
  if (client_) return client_.get();
  ConnectOptions options;
  ICARUS_ASSIGN(options.home, FindHome());
  options.access_file = options_.common.access_file;
  options.program = ProgramVersion("icarus");
  ICARUS_ASSIGN(client_, Client::Connect(std::move(options)));
  if (interrupt_) client_->SetInterrupt(interrupt_->fd());
  return client_.get();
}

Status Session::CatchInterrupt() {
  if (interrupt_) return {};
  ICARUS_ASSIGN(interrupt_, SignalFd::Block({SIGINT}));
  if (client_) client_->SetInterrupt(interrupt_->fd());
  return {};
}

bool Session::interrupted() const {
  if (!interrupt_) return false;
  pollfd poll{interrupt_->fd(), POLLIN, 0};  // it is never read: the program ends
  return ::poll(&poll, 1, 0) > 0;
}

void Session::Print(const std::string& text) const { std::fwrite(text.data(), 1, text.size(), stdout); }

void Session::PrintJson(const Json& json) const { Print(DumpJson(json) + "\n"); }

void Session::PrintDocument(const Json& json) const { csv() ? Print(JsonToCsv(json)) : PrintJson(json); }

TextStyle Session::style() const { return DetectTextStyle(1); }

void Session::Note(const std::string& line) const {
  if (quiet() || line.empty()) return;
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", line.c_str());
}

void ReportError(const Error& error, Format format) {
  if (format == Format::kJson) std::printf("%s\n", DumpJson(ErrorJson(error)).c_str());
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", ErrorLine(error).c_str());
}

}  // namespace icarus::client
