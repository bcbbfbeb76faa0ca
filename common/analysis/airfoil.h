// Airfoils as targets: names of the NACA series, coordinate files, and the points that they stand for.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/sweep.h"

namespace icarus {

// A target with '/' or '.' names a file, any other an airfoil.
bool LooksLikeAirfoilFile(const std::string& text);

// "NACA 2412", "naca23012": 4 and 5 digits, case and blanks ignored. The target has the canonical name ("naca2412") and
// no content. An error (usage, field "target") for what has no definition here: other series, thickness 00, camber
// without a position or the reverse, and 5-digit mean lines other than 210, 220, 230, 240, 250.
Result<Target> ParseAirfoilName(const std::string& text);

// A coordinate file in Selig or Lednicer order; a name line, comments (#), blank lines, CRLF, tabs and commas are
// allowed. The content is canonical: from the trailing edge over the upper side to the leading edge and back below, one
// "x y" a line in the shortest text that reads back exactly; points that differ in layout alone give the same content.
// Repeated points are dropped. A chord other than 1 (by more than 1 %) is scaled to 1 and its start moved to 0;
// otherwise the numbers stay as they are. The name is the file's name without directories.
// Errors (usage, field "target") name the file, what is wrong and what to do.
Result<Target> ParseAirfoilCoordinates(const std::string& file_name, const std::string& bytes);

// In order from the trailing edge over the upper side to the leading edge and back along the lower side; unit chord.
struct AirfoilPoints {
  std::vector<double> x;
  std::vector<double> y;
  std::size_t size() const { return x.size(); }
};

// The points of a content that ParseAirfoilCoordinates made; an error if it is not one.
Result<AirfoilPoints> DecodeCoordinates(const std::string& content);

// `panels` + 1 points of the exact definition: thickness normal to the mean line, blunt trailing edge, x spaced by the
// cosine. REQUIRES a canonical name of ParseAirfoilName and panels >= 4.
AirfoilPoints NacaPoints(const std::string& canonical_name, int panels);

}  // namespace icarus
