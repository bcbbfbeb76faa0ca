#include "client/output/plot_canvas.h"

#include <cairo-svg.h>
#include <cairo.h>

#include <cmath>
#include <numbers>

#if defined(__SANITIZE_ADDRESS__)
// The font system keeps its tables until the process ends; a leak checker is not to count them as ours, nor to say so.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): the sanitizer's names
const char* __lsan_default_suppressions();
const char* __lsan_default_suppressions() { return "leak:libfontconfig\n"; }
const char* __lsan_default_options();
const char* __lsan_default_options() { return "print_suppressions=0"; }
// NOLINTEND(bugprone-reserved-identifier)
}
#endif

namespace icarus::client {
namespace {

constexpr const char* kFontFamily = "DejaVu Sans";  // the font system takes its nearest where this one is not installed

cairo_status_t AppendBytes(void* closure, const unsigned char* bytes, unsigned int length) {
  static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(bytes), length);
  return CAIRO_STATUS_SUCCESS;
}

void SetColour(cairo_t* context, Rgb colour) { cairo_set_source_rgb(context, colour.red, colour.green, colour.blue); }

void SetFont(cairo_t* context, const Font& font) {
  cairo_select_font_face(context, kFontFamily, CAIRO_FONT_SLANT_NORMAL,
                         font.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(context, font.size);
}

void TracePolygon(cairo_t* context, PlotPoint centre, double radius, int corners, double first_angle) {
  for (int i = 0; i < corners; ++i) {
    const double angle = first_angle + 2 * std::numbers::pi * i / corners;
    cairo_line_to(context, centre.x + radius * std::cos(angle), centre.y + radius * std::sin(angle));
  }
  cairo_close_path(context);
}

}  // namespace

struct PlotCanvas::Page {
  Format format;
  std::string bytes;  // outlives the surface that writes to it
  cairo_surface_t* surface = nullptr;
  cairo_t* context = nullptr;

  ~Page() {
    cairo_destroy(context);
    cairo_surface_destroy(surface);
  }
};

PlotCanvas::PlotCanvas(Format format, double width, double height, double scale) : page_(std::make_unique<Page>()) {
  page_->format = format;
  if (format == Format::kSvg) {
    page_->surface = cairo_svg_surface_create_for_stream(AppendBytes, &page_->bytes, width, height);
  } else {
    page_->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(width * scale)),
                                                static_cast<int>(std::ceil(height * scale)));
  }
  page_->context = cairo_create(page_->surface);
  if (format == Format::kPng) cairo_scale(page_->context, scale, scale);
  cairo_set_line_join(page_->context, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap(page_->context, CAIRO_LINE_CAP_ROUND);
  cairo_font_options_t* options = cairo_font_options_create();
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo_set_font_options(page_->context, options);
  cairo_font_options_destroy(options);
}

PlotCanvas::~PlotCanvas() = default;

void PlotCanvas::Fill(const Box& box, Rgb colour) {
  SetColour(page_->context, colour);
  cairo_rectangle(page_->context, box.x, box.y, box.width, box.height);
  cairo_fill(page_->context);
}

void PlotCanvas::Line(PlotPoint from, PlotPoint to, double width, Rgb colour) { Polyline({from, to}, width, colour); }

void PlotCanvas::Polyline(const std::vector<PlotPoint>& points, double width, Rgb colour) {
  SetColour(page_->context, colour);
  cairo_set_line_width(page_->context, width);
  for (const PlotPoint& point : points) cairo_line_to(page_->context, point.x, point.y);
  cairo_stroke(page_->context);
}

void PlotCanvas::Mark(PlotPoint at, Marker marker, double radius, Rgb colour) {
  constexpr double kUp = -std::numbers::pi / 2;
  SetColour(page_->context, colour);
  switch (marker) {
    case Marker::kCircle: cairo_arc(page_->context, at.x, at.y, radius, 0, 2 * std::numbers::pi); break;
    case Marker::kSquare: TracePolygon(page_->context, at, 1.25 * radius, 4, -std::numbers::pi / 4); break;
    case Marker::kTriangle: TracePolygon(page_->context, at, 1.4 * radius, 3, kUp); break;
    case Marker::kDiamond: TracePolygon(page_->context, at, 1.4 * radius, 4, kUp); break;
    case Marker::kDownTriangle: TracePolygon(page_->context, at, 1.4 * radius, 3, -kUp); break;
  }
  cairo_fill(page_->context);
}

void PlotCanvas::Text(PlotPoint at, std::string_view text, const Font& font, Anchor anchor) {
  const double width = anchor == Anchor::kLeft ? 0 : TextWidth(text, font);
  const double shift = anchor == Anchor::kRight ? width : width / 2;
  SetFont(page_->context, font);
  SetColour(page_->context, font.colour);
  cairo_move_to(page_->context, anchor == Anchor::kLeft ? at.x : at.x - shift, at.y);
  cairo_show_text(page_->context, std::string(text).c_str());
  cairo_new_path(page_->context);
}

void PlotCanvas::VerticalText(PlotPoint at, std::string_view text, const Font& font) {
  cairo_save(page_->context);
  cairo_translate(page_->context, at.x, at.y);
  cairo_rotate(page_->context, -std::numbers::pi / 2);
  Text({0, 0}, text, font, Anchor::kCentre);
  cairo_restore(page_->context);
}

double PlotCanvas::TextWidth(std::string_view text, const Font& font) {
  SetFont(page_->context, font);
  cairo_text_extents_t extents{};
  cairo_text_extents(page_->context, std::string(text).c_str(), &extents);
  return extents.x_advance;
}

std::string PlotCanvas::Fit(std::string_view text, const Font& font, double width) {
  std::string fitting(text);
  for (std::size_t columns = DisplayWidth(text); columns > 0 && TextWidth(fitting, font) > width; --columns) {
    fitting = Ellipsize(text, columns - 1);
  }
  return fitting;
}

void PlotCanvas::Clip(const Box& box) {
  cairo_save(page_->context);
  cairo_rectangle(page_->context, box.x, box.y, box.width, box.height);
  cairo_clip(page_->context);
}

void PlotCanvas::Unclip() { cairo_restore(page_->context); }

Result<std::string> PlotCanvas::Finish() {
  cairo_status_t status = cairo_status(page_->context);
  if (status == CAIRO_STATUS_SUCCESS && page_->format == Format::kPng) {
    cairo_surface_flush(page_->surface);
    status = cairo_surface_write_to_png_stream(page_->surface, AppendBytes, &page_->bytes);
  }
  cairo_surface_finish(page_->surface);
  if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(page_->surface);
  if (status != CAIRO_STATUS_SUCCESS) return IoError(std::string("drawing failed: ") + cairo_status_to_string(status));
  return std::move(page_->bytes);
}

}  // namespace icarus::client
