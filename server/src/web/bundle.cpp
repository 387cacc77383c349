#include "web/bundle.hpp"

// What server/web/bundle has assembled.
extern "C" {
extern const char raceway_web_index_html[], raceway_web_index_html_end[];
extern const char raceway_web_hash[], raceway_web_hash_end[];
extern const char raceway_web_app_js[], raceway_web_app_js_end[];
extern const char raceway_web_app_css[], raceway_web_app_css_end[];
extern const char raceway_web_icon_svg[], raceway_web_icon_svg_end[];
extern const char raceway_web_licences_txt[], raceway_web_licences_txt_end[];
}

namespace raceway::server::web {

Bundle bundle() {
  return {
      .page = {raceway_web_index_html, raceway_web_index_html_end},
      .hash = {raceway_web_hash, raceway_web_hash_end},
      .files = {
          {{"app.js", "text/javascript; charset=utf-8", {raceway_web_app_js, raceway_web_app_js_end}},
           {"app.css", "text/css; charset=utf-8", {raceway_web_app_css, raceway_web_app_css_end}},
           {"icon.svg", "image/svg+xml", {raceway_web_icon_svg, raceway_web_icon_svg_end}},
           {"licences.txt", "text/plain; charset=utf-8", {raceway_web_licences_txt, raceway_web_licences_txt_end}}}}};
}

}  // namespace raceway::server::web
