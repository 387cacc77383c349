#include "http/metrics.hpp"

namespace raceway::server::http {

using observability::append_counter;
using observability::append_gauge;
using observability::Families;
using observability::number;

void append_metrics(Families& families, const Counters& counters) {
  append_gauge(families, "raceway_http_connections", "Open connections of clients.", number(counters.connections));
  append_counter(families, "raceway_http_connections_accepted_total", "Connections that were accepted.",
                 number(counters.connections_accepted));
  append_counter(families, "raceway_http_connections_refused_total", "Connections beyond what the server holds.",
                 number(counters.connections_refused));
  append_counter(families, "raceway_http_connections_over_share_total", "Of these, those whose client had its share.",
                 number(counters.connections_over_share));
  append_counter(families, "raceway_http_connections_replaced_total",
                 "Idle connections that were closed for newcomers.", number(counters.connections_replaced));
  append_counter(families, "raceway_http_out_of_files_total", "How often no file descriptor was left for a connection.",
                 number(counters.out_of_files));
  append_counter(families, "raceway_http_requests_refused_total",
                 "Requests answered with 503 because too many ran or waited.", number(counters.requests_refused));
  append_counter(families, "raceway_http_request_timeouts_total", "Requests that did not arrive in time.",
                 number(counters.timeouts));
  append_gauge(families, "raceway_http_requests_running", "Requests that are being worked on.",
               number(counters.requests_running));
  append_gauge(families, "raceway_http_requests_queued", "Requests that wait for a thread.",
               number(counters.requests_queued));
}

}  // namespace raceway::server::http
