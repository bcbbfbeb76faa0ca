#include "broker/storage/record_scan.h"

#include <rocksdb/db.h>
#include <rocksdb/iterator.h>
#include <rocksdb/options.h>

#include <memory>
#include <optional>

#include "broker/storage/key_schema.h"

namespace icarus::broker {
namespace {

// Where keys are looked for behind damage: the first bytes of a key as a number. All keys but those of settings fit.
__extension__ using Place = unsigned __int128;
constexpr int kPlaceBytes = 16;

Place PlaceOf(std::string_view key) {
  Place place = 0;
  for (std::size_t i = 0; i < kPlaceBytes; ++i) {
    place = place << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  }
  return place;
}

std::string KeyAt(Place place) {
  std::string key(kPlaceBytes, '\0');
  for (std::size_t i = kPlaceBytes; i-- > 0; place >>= 8) key[i] = static_cast<char>(static_cast<unsigned char>(place));
  return key;
}

using RecordIterator = std::unique_ptr<rocksdb::Iterator>;

RecordIterator NewIterator(rocksdb::DB& db) {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  return RecordIterator(db.NewIterator(options));
}

// An iterator at the first record of the place or behind it; null where reading fails. A new one each time: one that
// has failed at a block may fail again at the next. A key that ends in zeros is one of several at its place; the index
// of a table may tell two of them apart, and a longer one would pass over the record.
RecordIterator SeekTo(rocksdb::DB& db, Place place) {
  const std::string key = KeyAt(place);
  for (std::size_t length = key.find_last_not_of('\0') + 1; length <= key.size(); ++length) {
    RecordIterator it = NewIterator(db);
    it->Seek(rocksdb::Slice(key.data(), length));
    if (it->status().ok()) return it;
  }
  return nullptr;
}

// The first place behind `from` at which reading goes on: in steps that double until it does, then by halves between
// the last two. Null when it does nowhere.
RecordIterator SkipDamage(rocksdb::DB& db, Place from) {
  Place bad = from;
  for (int bit = 0; bit < 8 * kPlaceBytes; ++bit) {
    const Place step = Place{1} << bit;
    if (from + step < from) return nullptr;
    if (!SeekTo(db, from + step)) {
      bad = from + step;
      continue;
    }
    Place good = from + step;
    while (good - bad > 1) {
      const Place middle = bad + (good - bad) / 2;
      (SeekTo(db, middle) ? good : bad) = middle;
    }
    return SeekTo(db, good);
  }
  return nullptr;
}

}  // namespace

void ScanRecords(rocksdb::DB& db, const std::function<void(std::string_view key, std::string_view stored)>& visit,
                 const std::function<void(const UnreadableRange&)>& on_unreadable) {
  RecordIterator it = NewIterator(db);
  std::string last;
  it->SeekToFirst();
  while (true) {
    for (; it->Valid(); it->Next()) {
      last = it->key().ToString();
      visit(last, {it->value().data(), it->value().size()});
    }
    if (it->status().ok()) return;
    UnreadableRange range{last, {}, it->status().ToString()};
    it = SkipDamage(db, PlaceOf(last));
    if (it && it->Valid()) range.before = it->key().ToString();
    on_unreadable(range);
    if (!it) return;
  }
}

std::string Describe(const UnreadableRange& range) {
  std::string text = "what lies behind " + (range.after.empty() ? "the beginning" : DescribeKey(range.after));
  if (!range.before.empty()) text += " and before " + DescribeKey(range.before);
  return text + " cannot be read: " + range.why;
}

}  // namespace icarus::broker
