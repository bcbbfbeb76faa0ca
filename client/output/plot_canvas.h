// PlotCanvas: a page to draw on, as SVG or PNG. The only place that knows the drawing library (cairo).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/output/display.h"
#include "client/output/plot_data.h"
#include "common/base/result.h"

namespace icarus::client {

struct Rgb {
  double red = 0;
  double green = 0;
  double blue = 0;
};

struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
  double centre_x() const { return x + width / 2; }
  double centre_y() const { return y + height / 2; }
};

enum class Anchor : std::uint8_t { kLeft, kCentre, kRight };
enum class Marker : std::uint8_t { kCircle, kSquare, kTriangle, kDiamond, kDownTriangle };
inline constexpr int kMarkerCount = 5;

struct Font {
  double size = 12;
  Rgb colour;
  bool bold = false;
};

// Lengths in points, from the top left corner, y down. Not copyable; one thread.
class PlotCanvas {
 public:
  enum class Format : std::uint8_t { kSvg, kPng };
  // `scale`: pixels a point of a PNG.
  PlotCanvas(Format format, double width, double height, double scale);
  ~PlotCanvas();
  PlotCanvas(const PlotCanvas&) = delete;
  PlotCanvas& operator=(const PlotCanvas&) = delete;

  void Fill(const Box& box, Rgb colour);
  void Line(PlotPoint from, PlotPoint to, double width, Rgb colour);
  // One connected line. REQUIRES finite points.
  void Polyline(const std::vector<PlotPoint>& points, double width, Rgb colour);
  void Mark(PlotPoint at, Marker marker, double radius, Rgb colour);
  // `at` is the anchor on the base line.
  void Text(PlotPoint at, std::string_view text, const Font& font, Anchor anchor);
  // Turned a quarter to the left, centred on `at`.
  void VerticalText(PlotPoint at, std::string_view text, const Font& font);
  double TextWidth(std::string_view text, const Font& font);
  // The text cut with "…" to fit.
  std::string Fit(std::string_view text, const Font& font, double width);

  // Drawing between the two calls shows only within the box.
  void Clip(const Box& box);
  void Unclip();

  // The file's bytes; an error is kIo with the library's word. The canvas is of no use afterwards.
  Result<std::string> Finish();

 private:
  struct Page;
  std::unique_ptr<Page> page_;
};

}  // namespace icarus::client
