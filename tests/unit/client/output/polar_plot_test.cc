#include "client/output/polar_plot.h"

#include <cairo.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "common/base/files.h"
#include "tests/unit/client/output/samples.h"

namespace icarus::client {
namespace {

// A curve with `count` angles, so that its strokes can be told from those of axes and legend. Bent everywhere: points
// on a straight line are drawn as one.
TaskResult Polar(TaskIndex index, const std::string& target, int count) {
  TaskResult result = SamplePolar(index, target, 1e6);
  result.body.rows.clear();
  result.body.missing.clear();
  for (int i = 0; i < count; ++i) {
    const double aoa = i - 4;
    const double bend = 0.004 * aoa * aoa;
    result.body.rows.push_back({Number(aoa), Number(0.1 * aoa - bend + 0.1 * index), Number(0.006 + 0.1 * bend),
                                Number(-0.05 + bend + 0.01 * index)});
  }
  return result;
}

std::string Svg(const std::vector<TaskResult>& results) {
  const auto data = BuildPlotData(results);
  EXPECT_TRUE(data);
  const auto bytes = RenderPlot(*data, "plot.svg");
  EXPECT_TRUE(bytes);
  return *bytes;
}

// Stroked paths with at least `points` points, by their colour.
std::map<std::string, std::size_t> Curves(const std::string& svg, std::size_t points) {
  std::map<std::string, std::size_t> curves;
  for (std::size_t at = svg.find("<path"); at != std::string::npos; at = svg.find("<path", at + 1)) {
    const std::string element = svg.substr(at, svg.find("/>", at) - at);
    const std::size_t stroke = element.find("stroke:rgb");
    if (stroke == std::string::npos || Count(element, " L ") + 1 < points) continue;
    ++curves[element.substr(stroke, element.find(';', stroke) - stroke)];
  }
  return curves;
}

TEST(PolarPlot, SvgHasACurveASeriesInEachPanel) {
  const std::string svg = Svg({Polar(0, "naca0012", 12), Polar(1, "naca2412", 12), Polar(2, "naca4412", 12)});
  EXPECT_EQ(svg.rfind("<?xml", 0), 0u);
  EXPECT_NE(svg.find("</svg>"), std::string::npos);
  EXPECT_EQ(Count(svg, "<g ") + Count(svg, "<g>"), Count(svg, "</g>"));
  const auto curves = Curves(svg, 12);
  EXPECT_EQ(curves.size(), 3u) << "a colour a series";
  for (const auto& [colour, count] : curves) EXPECT_EQ(count, 3u) << colour;
}

TEST(PolarPlot, AGapBreaksTheCurve) {
  TaskResult result = Polar(0, "naca0012", 12);
  result.body.rows.erase(result.body.rows.begin() + 6);
  result.body.missing = {{{{"aoa", Number(2)}}, "did not converge"}};
  const auto curves = Curves(Svg({result}), 5);
  ASSERT_EQ(curves.size(), 1u);
  EXPECT_EQ(curves.begin()->second, 6u) << "two pieces in each panel";
}

TEST(PolarPlot, ManyCurvesHaveColoursOfTheirOwn) {
  std::vector<TaskResult> results;
  for (TaskIndex i = 0; i < 30; ++i) results.push_back(Polar(i, "naca" + std::to_string(1000 + i), 12));
  EXPECT_EQ(Curves(Svg(results), 12).size(), 30u);
}

// How often each colour occurs in a picture.
std::map<std::uint32_t, std::size_t> Colours(const std::string& path) {
  cairo_surface_t* surface = cairo_image_surface_create_from_png(path.c_str());
  EXPECT_EQ(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
  std::map<std::uint32_t, std::size_t> colours;
  const unsigned char* bytes = cairo_image_surface_get_data(surface);
  const int stride = cairo_image_surface_get_stride(surface);
  for (int y = 0; y < cairo_image_surface_get_height(surface); ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(bytes + static_cast<std::ptrdiff_t>(y) * stride);
    for (int x = 0; x < cairo_image_surface_get_width(surface); ++x) ++colours[row[x] & 0xFFFFFFu];
  }
  cairo_surface_destroy(surface);
  return colours;
}

class PlotFile : public testing::Test {
 protected:
  PlotFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "icarus-plot-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  ~PlotFile() override { std::filesystem::remove_all(directory_); }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  std::string directory_;
};

TEST_F(PlotFile, PngIsAPicture) {
  const Status written = WritePlot(Path("a.PNG"), {Polar(0, "naca0012", 12), Polar(1, "naca2412", 12)});
  ASSERT_TRUE(written) << written.error().message;
  const auto bytes = ReadFile(Path("a.PNG"), 64 << 20);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->substr(0, 8), "\x89PNG\r\n\x1a\n");
  const auto colours = Colours(Path("a.PNG"));
  EXPECT_GT(colours.size(), 50u) << "curves, text and grid";
  const auto most = std::max_element(colours.begin(), colours.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  EXPECT_EQ(most->first, 0xFFFFFFu) << "on white paper";
  EXPECT_TRUE(colours.count(0x0072B2)) << "the first curve's blue";
}

TEST_F(PlotFile, SvgReplacesWhatIsThere) {
  ASSERT_TRUE(WriteFileAtomically(Path("a.svg"), "old", 0644));
  ASSERT_TRUE(WritePlot(Path("a.svg"), {Polar(0, "Flügel 翼 <&>", 3)}));
  const auto bytes = ReadFile(Path("a.svg"), 64 << 20);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->rfind("<?xml", 0), 0u);
}

TEST_F(PlotFile, OtherEndingsAreRefusedBeforeAnythingIsWritten) {
  for (const char* name : {"a.pdf", "a", "svg"}) {
    const Status status = WritePlot(Path(name), {Polar(0, "naca0012", 3)});
    ASSERT_FALSE(status) << name;
    EXPECT_EQ(status.error().code, ErrorCode::kUsage);
    EXPECT_FALSE(PathExists(Path(name)));
  }
  EXPECT_TRUE(CheckPlotPath("polar.svg"));
  EXPECT_FALSE(CheckPlotPath(".svg")) << "an ending without a name";
}

TEST_F(PlotFile, ADirectoryThatIsNotThereIsAnError) {
  EXPECT_FALSE(WritePlot(Path("none/a.svg"), {Polar(0, "naca0012", 3)}));
}

}  // namespace
}  // namespace icarus::client
