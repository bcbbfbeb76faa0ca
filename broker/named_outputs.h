// What a message would have the records name must be here, so that no record ever names a file that is gone.
#pragma once

#include <functional>

#include "common/base/result.h"
#include "common/protocol/messages.h"

namespace icarus::broker {

// False: the file is not here.
using NameFile = std::function<bool(const ContentHash& file)>;

// kNotFound, with the input's name and the field "input".
Status NameInputs(const Submit& request, const NameFile& name);

// A result one of whose files is gone is given back: the task runs again. One that was no success stays what it was,
// without its body. What is gone of what an attempt has kept is not kept.
void NameOutputs(Results& message, const NameFile& name);
void NameSaved(TaskEvents& message, const NameFile& name);

}  // namespace icarus::broker
