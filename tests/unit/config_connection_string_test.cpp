#include <gtest/gtest.h>

#include <string>

#include "config/connection_string.hpp"

namespace raceway::server::config {
namespace {

TEST(Redaction, MasksThePasswordOfAUriAndKeepsTheRest) {
  EXPECT_EQ(redact_connection_string("postgresql://u:secret@h:5432/db?sslmode=require"),
            "postgresql://u:***@h:5432/db?sslmode=require");
  EXPECT_EQ(redact_connection_string("postgres://u:secret@h1:1,h2:2/db"), "postgres://u:***@h1:1,h2:2/db");
  EXPECT_EQ(redact_connection_string("postgresql://u:s%40c%2Fret@h/db"), "postgresql://u:***@h/db");
  EXPECT_EQ(redact_connection_string("postgresql://:secret@h/db"), "postgresql://:***@h/db");
}

TEST(Redaction, MasksThePasswordsInTheQueryOfAUri) {
  EXPECT_EQ(redact_connection_string("postgresql:///db?host=/run&password=secret&user=u"),
            "postgresql:///db?host=/run&password=***&user=u");
  EXPECT_EQ(redact_connection_string("postgresql:///db?sslpassword=one&password=two"),
            "postgresql:///db?sslpassword=***&password=***");
}

TEST(Redaction, MasksThePasswordOfPairsHoweverItIsWritten) {
  EXPECT_EQ(redact_connection_string("host=h password=secret dbname=db"), "host=h password=*** dbname=db");
  EXPECT_EQ(redact_connection_string("password = 'se cr\\'et' host=h"), "password = *** host=h");
  EXPECT_EQ(redact_connection_string("password=se\\ cret host=h"), "password=*** host=h");
  EXPECT_EQ(redact_connection_string("host=h sslpassword='x y' password=secret"),
            "host=h sslpassword=*** password=***");
  EXPECT_EQ(redact_connection_string("options='-c a=b' application_name='password=x'"),
            "options='-c a=b' application_name='password=x'");
}

TEST(Redaction, LeavesAloneWhatHoldsNoPassword) {
  for (const char* text : {"", "host=h dbname=db user=u", "postgresql://u@h:5432/db", "postgresql://u@h/db",
                           "postgresql:///db", "postgresql://[::1]:5432/db", "postgresql://u:@h/db"}) {
    EXPECT_EQ(redact_connection_string(text), text);
  }
}

TEST(Redaction, MasksEverythingWhereThePasswordHasNoCertainEnd) {
  for (const char* text :
       {"postgresql://u:se@cret@h/db", "postgresql://u:se/cret@h/db", "postgresql://u:se?cret@h/db",
        "postgresql://u:se#cret@h?/db", "postgresql:///db?pass%77ord=secret", "password=se cret", "password='secret",
        "secret", "postgresql://u:%zzsecret@h/db", "postgresql://u:secret@h/db?nonsense=1", "mysql://u:secret@h/db"}) {
    EXPECT_EQ(redact_connection_string(text), "***") << text;
    EXPECT_FALSE(is_connection_string(text)) << text;
  }
}

TEST(Redaction, KnowsAConnectionString) {
  EXPECT_TRUE(is_connection_string("postgresql://u:secret@h/db"));
  EXPECT_TRUE(is_connection_string("host=h password='a b'"));
  EXPECT_TRUE(is_connection_string("postgresql://u:@h/db"));
  EXPECT_FALSE(is_connection_string("raceway"));
}

}  // namespace
}  // namespace raceway::server::config
