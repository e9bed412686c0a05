"""The checks themselves: valid documents pass, and every rule can fail."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.validity import values
from tests.validity.rules import archive_faults, atom_faults, json_faults, opml_faults, rss_faults, updated_faults

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:fh="http://purl.org/syndication/history/1.0"
  xmlns:media="http://search.yahoo.com/mrss/" xmlns:thr="urn:example:thr" xml:lang="ja">
  <id>tag:example.com,2026:feeds/</id>
  <title>庭の手帳</title>
  <subtitle type="text">水やりと本 &amp; tea</subtitle>
  <updated>2026-11-20T09:00:00+09:00</updated>
  <author><name>葵</name><uri>https://example.com/aoi</uri><email>aoi@example.com</email></author>
  <link rel="self" type="application/atom+xml" href="https://example.com/feeds/atom.xml"/>
  <link rel="alternate" type="text/html" href="https://example.com/"/>
  <link rel="hub" href="https://hub.example/"/>
  <category term="庭" label="庭" scheme="tag:example.com,2026:tags"/>
  <generator uri="https://feeds.example/" version="1.0">Feeds</generator>
  <rights>© 葵</rights>
  <entry>
    <id>tag:example.com,2026:雨</id>
    <title type="html">雨の &lt;b&gt;朝&lt;/b&gt;</title>
    <published>2026-11-19T09:00:00+09:00</published>
    <updated>2026-11-20T00:00:00Z</updated>
    <link href="https://example.com/%E9%9B%A8/" type="text/html"/>
    <link rel="enclosure" type="audio/mpeg" length="1234" href="https://example.com/a.mp3"/>
    <category term="雨"/>
    <summary>庭に水をまいた。</summary>
    <content type="html">&lt;p&gt;庭に水をまいた。&lt;/p&gt;</content>
    <media:thumbnail url="https://example.com/a.png" width="10"/>
    <thr:total unit="replies">3<thr:of>5</thr:of></thr:total>
  </entry>
  <entry xml:lang="en">
    <id>tag:example.com,2026:tea</id>
    <title>Tea</title>
    <updated>2026-11-18T09:00:00+09:00</updated>
    <author><name>Ada</name></author>
    <link rel="related" href="https://other.example/"/>
    <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Hot <em>water</em>.</p></div></content>
  </entry>
</feed>
"""
ARCHIVE = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:fh="http://purl.org/syndication/history/1.0">
  <id>tag:example.com,2026:feeds/</id>
  <title>Garden</title>
  <updated>2026-01-01T00:00:00Z</updated>
  {mark}<link rel="self" href="https://example.com/{name}.xml"/>{links}
</feed>"""
RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
  xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:other="urn:example:other">
  <channel>
    <title>庭の手帳</title>
    <link>https://example.com/</link>
    <description>水やりと本 &amp; tea</description>
    <language>ja-JP</language>
    <lastBuildDate>Fri, 20 Nov 2026 09:00:00 +0900</lastBuildDate>
    <ttl>60</ttl>
    <atom:link rel="self" type="application/rss+xml" href="https://example.com/feeds/rss.xml"/>
    <image><url>https://example.com/a.png</url><title>庭</title><link>https://example.com/</link></image>
    <itunes:explicit>false</itunes:explicit>
    <item>
      <title>雨の朝</title>
      <link>https://example.com/%E9%9B%A8/</link>
      <description>庭に水をまいた。</description>
      <content:encoded>&lt;p&gt;庭に水をまいた。&lt;/p&gt;</content:encoded>
      <dc:creator>葵</dc:creator>
      <category>雨</category>
      <category>庭</category>
      <guid isPermaLink="false">tag:example.com,2026:雨</guid>
      <pubDate>Fri, 20 Nov 2026 00:00:00 GMT</pubDate>
      <enclosure url="https://example.com/a.mp3" length="1234" type="audio/mpeg"/>
      <itunes:duration>1:02:03</itunes:duration>
      <media:content url="https://example.com/a.png" medium="image"/>
    </item>
    <item>
      <description>Tea without a title.</description>
      <author>ada@example.com (Ada)</author>
      <guid>https://example.com/tea/</guid>
      <source url="https://other.example/rss.xml">Other</source>
    </item>
  </channel>
</rss>
"""
JSON = """{
  "version": "https://jsonfeed.org/version/1.1",
  "title": "庭の手帳",
  "home_page_url": "https://example.com/",
  "feed_url": "https://example.com/feeds/feed.json",
  "next_url": "https://example.com/feeds/2.json",
  "language": "ja",
  "authors": [{"name": "葵", "url": "https://example.com/aoi"}],
  "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
  "expired": false,
  "_feeds": {"about": "https://feeds.example/", "made": null},
  "items": [
    {
      "id": "tag:example.com,2026:雨",
      "url": "https://example.com/%E9%9B%A8/",
      "title": "雨の朝",
      "content_html": "<p>庭に水をまいた。</p>",
      "date_published": "2026-11-19T09:00:00+09:00",
      "date_modified": "2026-11-20T00:00:00Z",
      "tags": ["雨", "庭"],
      "attachments": [
        {"url": "https://example.com/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 12, "duration_in_seconds": 3.5}
      ]
    },
    {"id": "tag:example.com,2026:tea", "content_text": "Hot water.", "language": "en"}
  ]
}
"""
OPML = """<?xml version="1.0" encoding="utf-8"?>
<opml version="2.0">
  <head><title>庭の手帳</title><dateModified>Fri, 20 Nov 2026 09:00:00 +0900</dateModified></head>
  <body>
    <outline text="Feeds">
      <outline type="rss" text="庭" title="庭" xmlUrl="https://example.com/feeds/atom.xml" language="ja"/>
      <outline type="include" text="More" url="https://example.com/more.opml"/>
    </outline>
  </body>
</opml>
"""
XMLNS = 'xmlns="http://www.w3.org/2005/Atom"'
SECOND_ENTRY = "<id>tag:example.com,2026:tea</id>"
ID = "<id>tag:example.com,2026:feeds/</id>"
HREF = 'href="https://example.com/%E9%9B%A8/"'
CONTENT = '<content type="html">&lt;p&gt;庭に水をまいた。&lt;/p&gt;</content>'
SUMMARY = "<summary>庭に水をまいた。</summary>"
ALTERNATE = '<link rel="alternate" type="text/html" href="https://example.com/"/>'
XHTML = '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Hot <em>water</em>.</p></div></content>'
AUTHOR = "<author><name>葵</name><uri>https://example.com/aoi</uri><email>aoi@example.com</email></author>"
TEA = f"{SECOND_ENTRY}\n    <title>Tea</title>\n    <updated>2026-11-18T09:00:00+09:00</updated>"
RAIN_ELSEWHERE = "<id>tag:example.com,2026:雨</id><title>Tea</title><updated>2026-11-20T09:00:00+09:00</updated>"
CURRENT = '<link rel="current" href="https://example.com/new.xml"/>'
OWN = '<link rel="current" href="https://example.com/feeds/atom.xml"/>'
NEXT = '<link rel="next" href="https://example.com/2.xml"/>'
ITEM_TITLE = "<title>雨の朝</title>"
GUID = '<guid isPermaLink="false">tag:example.com,2026:雨</guid>'
ENCLOSURE = '<enclosure url="https://example.com/a.mp3" length="1234" type="audio/mpeg"/>'
EXCERPT = "<description>庭に水をまいた。</description>\n      "
ENCODED = "<content:encoded>&lt;p&gt;庭に水をまいた。&lt;/p&gt;</content:encoded>"
PUB_DATE = "Fri, 20 Nov 2026 00:00:00 GMT"
SELF = '<atom:link rel="self" type="application/rss+xml" href="https://example.com/feeds/rss.xml"/>'
TEA_ITEM = '{"id": "tag:example.com,2026:tea", "content_text": "Hot water.", "language": "en"}'
OUTLINE = '<outline type="include" text="More" url="https://example.com/more.opml"/>'

# Name, the changed part of the valid document, its replacement, and a part of the message of the one fault.
IN_ATOM = [
    ("not well formed", "</feed>", "", "XML 1.0: "),
    ("a control character", "Hot ", "Hot \x0b", "XML 1.0: "),
    ("an undeclared prefix", "<thr:total ", "<thread:x/><thr:total ", "XML 1.0: Namespace prefix thread"),
    ("a doctype", "<feed ", "<!DOCTYPE feed [<!ENTITY a 'b'>]><feed ", "XML 1.0 section 2.8"),
    ("an entity", "Hot ", "&hot; ", "XML 1.0: Entity 'hot' not defined"),
    ("another root", 'feed xmlns="http://www.w3.org/2005/Atom"', 'feed xmlns="urn:x"', "XML 1.0 section 2.1"),
    ("no feed id", ID, "", "4.1.1: <feed>: Expecting an element id"),
    ("no feed title", "<title>庭の手帳</title>", "", "4.1.1: <feed>: Expecting an element title"),
    ("no feed updated", "<updated>2026-11-20T09:00:00+09:00</updated>", "", "<feed>: Expecting an element updated"),
    ("two ids", ID, ID + ID, "4.1.1: <feed>: Extra element id"),
    ("two rights", "<rights>© 葵</rights>", "<rights/><rights/>", "4.1.1: <feed>"),
    ("two generators", "<rights>© 葵</rights>", "<generator>x</generator>", "<feed>: Extra element generator"),
    ("two subtitles", "<rights>© 葵</rights>", "<subtitle>x</subtitle>", "<feed>: Extra element subtitle"),
    ("two summaries", SUMMARY, SUMMARY + SUMMARY, "4.1.2: <entry>: Extra element summary"),
    ("two contents", CONTENT, CONTENT + CONTENT, "4.1.2: <entry>: Extra element content"),
    ("two updated", SECOND_ENTRY, f"{SECOND_ENTRY}<updated>2026-11-18T09:00:00Z</updated>", "<entry>: Extra"),
    ("two published", SUMMARY, f"<published>2026-11-18T09:00:00Z</published>{SUMMARY}", "<entry>: Extra"),
    ("two sources", SUMMARY, f"<source/><source/>{SUMMARY}", "4.1.2: <entry>: Extra element source"),
    ("no entry id", SECOND_ENTRY, "", "4.1.2: <entry>: Expecting an element id"),
    ("no entry title", "<title>Tea</title>", "", "4.1.2: <entry>: Expecting an element title"),
    ("a feed's element in an entry", SUMMARY, f"<generator>x</generator>{SUMMARY}", "<entry>: "),
    ("an entry's element in the feed", ID, f"{ID}<published>2026-11-18T09:00:00Z</published>", "<feed>: "),
    ("feed metadata after an entry", "</feed>", "<logo>https://example.com/a.png</logo></feed>", "<feed>: "),
    ("an Atom element of our own", SUMMARY, f"<excerpt>x</excerpt>{SUMMARY}", "6.2: <excerpt>: unknown"),
    ("an element of no namespace", SUMMARY, f'<x xmlns=""/>{SUMMARY}', "6.4: <x>: unknown"),
    ("an attribute of our own", "<category term=", '<category kind="x" term=', "4.2.2: <category>: "),
    ("words between elements", "</entry>", "words</entry>", "<entry>: "),
    ("a person without a name", "<name>Ada</name>", "", "3.2: <author>: Expecting an element name"),
    ("a blank name", "<name>Ada</name>", "<name> </name>", "3.2.1: <name>: "),
    ("no e-mail address", "aoi@example.com", "aoi", "3.2.3: <email>: "),
    ("an invalid uri", "<uri>https://example.com/aoi", "<uri>example.com/葵", "3.2.2: <uri> "),
    ("a category without a term", '<category term="雨"/>', "<category/>", "4.2.2: <category>: "),
    ("an empty term", '<category term="雨"/>', '<category term=""/>', "4.2.2: <category>: "),
    ("a scheme that is not an IRI", 'scheme="tag:example.com,2026:tags"', 'scheme="tags"', "4.2.2.2: "),
    ("a link without href", ' href="https://hub.example/"', "", "4.2.7: <link>: "),
    ("a space in an address", HREF, 'href="https://example.com/a b"', "4.2.7: <link> "),
    ("Japanese in an address", HREF, 'href="https://example.com/雨/"', "4.2.7: <link> "),
    ("a relative address", HREF, 'href="/a/"', "4.2.7: <link> '/a/' is not an absolute URI"),
    ("an empty address", HREF, 'href=""', "4.2.7: <link> '' is not an absolute URI"),
    ("a base that helps no address", HREF, 'xml:base="https://example.com/" href="/a b"', "is not a URI reference"),
    ("half an escape", HREF, 'href="https://example.com/%E9%9/"', "4.2.7: <link> "),
    ("an unknown relation", 'rel="related"', 'rel="relatd"', "4.2.7.2: rel 'relatd'"),
    ("an invalid length", 'length="1234"', 'length="1 kB"', "4.2.7: <link>: "),
    ("an invalid type", 'type="audio/mpeg"', 'type="mp3"', "4.2.7: <link>: "),
    ("a language of a link", 'rel="related"', 'rel="related" hreflang="en_GB"', "4.2.7.4: hreflang 'en_GB'"),
    ("an address of a generator", 'uri="https://feeds.example/"', 'uri="feeds"', "4.2.4: <generator> 'feeds'"),
    ("an empty icon", "<rights>© 葵</rights>", "<icon/>", "4.2.5: <icon> ''"),
    ("an id that is relative", SECOND_ENTRY, "<id>tea/</id>", "4.2.6: <id> 'tea/' is not an absolute IRI"),
    ("white space around an id", SECOND_ENTRY, f"<id> {SECOND_ENTRY[4:]}", "4.2.6: <id> ' tag:"),
    ("white space around a date", "2026-11-18T09:00:00+09:00", "2026-11-18T09:00:00+09:00\n", "4.2.15: <updated>: "),
    ("a date without a zone", "2026-11-18T09:00:00+09:00", "2026-11-18T09:00:00", "4.2.15: <updated>: "),
    ("a date without a time", "2026-11-18T09:00:00+09:00", "2026-11-18", "4.2.15: <updated>: "),
    ("an invalid day", "2026-11-19T09:00:00+09:00", "2026-02-30T09:00:00+09:00", "4.2.9: <published>: "),
    ("an invalid hour", "2026-11-19T09:00:00+09:00", "2026-11-19T24:00:00+09:00", "4.2.9: "),
    ("a date of RFC 822", "2026-11-19T09:00:00+09:00", "Thu, 19 Nov 2026 09:00:00 GMT", "4.2.9: "),
    ("a language", 'xml:lang="en"', 'xml:lang="en_GB"', "section 2: xml:lang 'en_GB' is not a language tag"),
    ("an empty language", 'xml:lang="en"', 'xml:lang=""', "section 2: xml:lang ''"),
    ("elements in HTML", CONTENT, '<content type="html"><b>x</b></content>', "4.1.3: <content>: "),
    ("elements in plain text", SUMMARY, "<summary><b>x</b></summary>", "4.2.13: <summary>: "),
    ("an invalid type of text", SUMMARY, '<summary type="text/html">x</summary>', "4.2.13: <summary>: "),
    ("XHTML without its div", XHTML, '<content type="xhtml">x</content>', "4.1.3: <content>: "),
    ("XHTML of another namespace", "<p>Hot", '<p xmlns="urn:x">Hot', "4.1.3: <content>: "),
    (
        "elements in a text type",
        XHTML,
        '<content type="text/x"><b/></content>',
        "4.1.3.3: content of type text/x has",
    ),
    (
        "invalid Base64",
        CONTENT,
        '<content type="image/png">雨</content>',
        "4.1.3.3: content of type image",
    ),
    ("Base64 without a summary", XHTML, '<content type="image/png">aGk=</content>', "4.1.2: content that is"),
    (
        "content elsewhere, no summary",
        XHTML,
        '<content type="a/b" src="https://example.com/a"/>',
        "content that is",
    ),
    (
        "content elsewhere and here",
        CONTENT,
        '<content type="a/b" src="https://e.example/">x</content>',
        "4.1.3: ",
    ),
    ("content elsewhere, untyped", CONTENT, '<content src="https://e.example/"/>', "4.1.3: <content>: "),
    ("content nowhere", CONTENT, '<content type="a/b" src="a b"/>', "4.1.3: <content> 'a b'"),
    ("neither content nor alternate", XHTML, "<summary>Hot.</summary>", "4.1.2: an entry without content"),
    ("two alternates of the feed", ALTERNATE, ALTERNATE * 2, "4.1.1: 2 alternate links of type text/html"),
    (
        "two alternates of an entry",
        'rel="enclosure" type="audio/mpeg"',
        'type="text/html"',
        "4.1.2: 2 alternate",
    ),
    ("no self", 'rel="self"', 'rel="via"', "4.1.1: 0 links to the feed itself"),
    ("two selves", 'rel="hub"', 'rel="self"', "4.1.1: 2 links to the feed itself"),
    ("no author", AUTHOR, "", "4.1.2: neither the entry nor its source nor the feed has an author"),
    ("an entry's state twice", TEA, RAIN_ELSEWHERE, "4.1.1: a second entry 'tag:example.com,2026:雨'"),
    ("an entry's id is the feed's", SECOND_ENTRY, ID, "4.2.6: the entry has the feed's <id>"),
    (
        "fh:archive with text",
        "<entry>",
        f"<fh:archive>x</fh:archive>{CURRENT}<entry>",
        "RFC 5005 section 4: <archive>",
    ),
    (
        "fh:complete with text",
        "<entry>",
        "<fh:complete>x</fh:complete><entry>",
        "RFC 5005 section 2: <complete>",
    ),
    ("another fh element", "<entry>", "<fh:old/><entry>", "RFC 5005 section 4: <old>: unknown"),
    ("fh:complete in an entry", SUMMARY, f"<fh:complete/>{SUMMARY}", "4.1.2: <entry>: "),
    ("fh:complete twice", "<entry>", "<fh:complete/><fh:complete/><entry>", "4.1.1: <feed>: Extra"),
    ("complete and paged", "<entry>", f"<fh:complete/>{NEXT}<entry>", "RFC 5005 section 2: a complete feed"),
    (
        "complete and an archive",
        "<entry>",
        f"<fh:archive/><fh:complete/>{CURRENT}<entry>",
        "RFC 5005 section 2: ",
    ),
    ("an archive that is current", "<entry>", f"<fh:archive/>{OWN}<entry>", "the current link points at the document"),
    ("an archive without current", "<entry>", "<fh:archive/><entry>", "RFC 5005 section 4: an archive needs"),
    ("next-archive of the newest", 'rel="hub"', 'rel="next-archive"', "section 4: only an archive is"),
    (
        "two prev-archives",
        'rel="hub"',
        'rel="prev-archive" href="https://e.example/"/><link rel="prev-archive"',
        "more than one",
    ),
    ("a thumbnail without url", 'thumbnail url="https://example.com/a.png"', "thumbnail", "<media:thumbnail>: "),
    (
        "a thumbnail nowhere",
        'thumbnail url="https://example.com/a.png"',
        'thumbnail url="a"',
        "<thumbnail> 'a' is not an",
    ),
    ("media content without url", "<media:thumbnail url=", "<media:content href=", "<media:content>: "),
]
IN_RSS = [
    ("not well formed", "</rss>", "", "XML 1.0: "),
    ("an undeclared prefix", "<ttl>", "<x:y/><ttl>", "XML 1.0: Namespace prefix x"),
    ("a doctype", "<rss ", "<!DOCTYPE rss><rss ", "XML 1.0 section 2.8"),
    ("another root", "<rss ", '<rss xmlns="urn:x" ', "XML 1.0 section 2.1"),
    ("another version", 'version="2.0"', 'version="0.92"', "RSS 2.0 <rss>: version is '0.92'"),
    ("an element beside the channel", "</channel>", "</channel><title>x</title>", "RSS 2.0 <rss>: has no <title>"),
    ("no title", "<title>庭の手帳</title>", "", "RSS 2.0 <channel>: <title> is missing"),
    ("no link", "<link>https://example.com/</link>", "", "RSS 2.0 <channel>: <link> is missing"),
    ("no description", "<description>水やりと本 &amp; tea</description>", "", "<description> is missing"),
    ("an empty title", "<title>庭の手帳</title>", "<title/>", "RSS 2.0 <title>: '' is empty"),
    ("a relative link", "<link>https://example.com/</link>", "<link>/</link>", "RSS 2.0 <link>: '/' is not an"),
    ("Japanese in a link", "https://example.com/%E9%9B%A8/", "https://example.com/雨/", "RSS 2.0 <link>: "),
    ("two languages", "<ttl>", "<language>en</language><ttl>", "RSS 2.0 <channel>: 2 times <language>"),
    ("a language", "ja-JP", "Japanese language", "RSS 2.0 <language>: 'Japanese language' is not a language tag"),
    ("an xml:lang", "<item>", '<item xml:lang="j">', "RSS 2.0 Extending RSS: xml:lang 'j'"),
    ("an element of our own", "<ttl>", "<excerpt/><ttl>", "RSS 2.0 <channel>: has no <excerpt>"),
    ("an element that items do not have", ITEM_TITLE, f"{ITEM_TITLE}<ttl>1</ttl>", "RSS 2.0 <item>: has no <ttl>"),
    ("another namespace", "<ttl>", "<other:x/><ttl>", "RSS 2.0 Extending RSS: <x> is in an unknown namespace"),
    ("a ttl", "<ttl>60", "<ttl>an hour", "RSS 2.0 <ttl>: 'an hour' is not a whole number"),
    ("an image without a title", "<title>庭</title>", "", "RSS 2.0 <image>: <title> is missing"),
    (
        "an editor",
        "<ttl>",
        "<managingEditor>葵</managingEditor><ttl>",
        "RSS 2.0 <managingEditor>: '葵' is not an e-mail",
    ),
    ("an empty item", "<description>Tea without a title.</description>", "", "<item>: neither a"),
    ("two titles", ITEM_TITLE, ITEM_TITLE * 2, "RSS 2.0 <item>: 2 times <title>"),
    ("two dates", "<enclosure", f"<pubDate>{PUB_DATE}</pubDate><enclosure", "2 times <pubDate>"),
    ("two enclosures", ENCLOSURE, ENCLOSURE * 2, "RSS Profile <enclosure>: 2 times <enclosure>"),
    (
        "an enclosure without url",
        ' url="https://example.com/a.mp3"',
        "",
        "<enclosure>: url None is not an absolute",
    ),
    ("an enclosure without length", ' length="1234"', "", "<enclosure>: length None is not a whole number"),
    ("a negative length", 'length="1234"', 'length="-1"', "<enclosure>: length '-1' is not a whole number"),
    ("an enclosure without type", ' type="audio/mpeg"', "", "<enclosure>: type None is not a media type"),
    ("an author's name alone", "ada@example.com (Ada)", "Ada", "RSS 2.0 <author>: 'Ada' is not an e-mail"),
    ("no guid", GUID, "", "RSS Profile <guid>: an item should have a guid"),
    (
        "a guid that is not a link",
        ' isPermaLink="false"',
        "",
        "RSS 2.0 <guid>: 'tag:example.com,2026:雨' is not a URL",
    ),
    ("an invalid isPermaLink", 'isPermaLink="false"', 'isPermaLink="no"', "<guid>: isPermaLink 'no'"),
    ("white space around a guid", GUID, GUID.replace("雨", "雨 "), "RSS Profile <guid>: "),
    ("an empty guid", "https://example.com/tea/", "", "RSS 2.0 <guid>: '' is empty"),
    ("a guid twice", "<guid>https://example.com/tea/</guid>", GUID, "RSS 2.0 <guid>: a second item"),
    ("a source without url", ' url="https://other.example/rss.xml"', "", "RSS 2.0 <source>: url None"),
    ("another day of the week", PUB_DATE, PUB_DATE.replace("Fri", "Sat"), "RSS 2.0 <pubDate>: "),
    ("a year of two digits", PUB_DATE, PUB_DATE.replace("2026", "26"), "RSS 2.0 <pubDate>: "),
    ("an invalid day", PUB_DATE, PUB_DATE.replace("20 Nov", "31 Nov"), "RSS 2.0 <pubDate>: "),
    ("a Japanese weekday", PUB_DATE, PUB_DATE.replace("Fri", "金"), "RSS 2.0 <pubDate>: "),
    ("a date of RFC 3339", PUB_DATE, "2026-11-20T00:00:00Z", "RSS 2.0 <pubDate>: "),
    ("a date without a zone", "09:00:00 +0900", "09:00:00", "RSS 2.0 <lastBuildDate>: "),
    ("no self", SELF, "", "RSS Profile <atom:link>: 0 links to the channel itself"),
    ("two selves", SELF, SELF * 2, "RSS Profile <atom:link>: 2 links to the channel itself"),
    ("a relative self", "https://example.com/feeds/rss.xml", "/rss.xml", "RSS 2.0 <link>: href '/rss.xml'"),
    (
        "a self of another type",
        'type="application/rss+xml"',
        'type="text/xml"',
        "<atom:link>: type is 'text/xml'",
    ),
    ("the full text twice", ENCODED, ENCODED * 2, "RSS Profile <content:encoded>: is followed by another"),
    ("the full text first", EXCERPT + ENCODED, ENCODED + EXCERPT, "<content:encoded>: comes before the description"),
    ("the full text outside of an item", "<ttl>", f"{ENCODED}<ttl>", "is not a child of an item"),
    (
        "media without url",
        '<media:content url="https://example.com/a.png"',
        "<media:content",
        "<content>: url None",
    ),
    ("minutes beyond an hour", "1:02:03", "62:03", "RSS 2.0 <duration>: '62:03' is neither"),
    ("seconds beyond a minute", "1:02:03", "1:02:60", "RSS 2.0 <duration>: "),
    ("explicit", "<itunes:explicit>false", "<itunes:explicit>clean", "RSS 2.0 <explicit>: 'clean'"),
    (
        "a cover without href",
        "<ttl>",
        '<itunes:image url="https://example.com/a.png"/><ttl>',
        "<image>: href None",
    ),
]
IN_JSON = [
    ("not JSON", '"items": [', '"items": ', "RFC 8259: "),
    ("a member twice", '"expired": false,', '"expired": false, "expired": true,', "RFC 8259: section 4"),
    ("no number", "3.5", "NaN", "RFC 8259: section 6: NaN"),
    ("no object", JSON, "[]", "Top-level: the document is not an object"),
    ("another version", "version/1.1", "version/1", "Top-level: version: 'https://jsonfeed.org/version/1' is not"),
    ("no version", '"version": "https://jsonfeed.org/version/1.1",', "", "Top-level: version: is missing"),
    ("no title", '"title": "庭の手帳",', "", "Top-level: title: is missing"),
    ("an empty title", "庭の手帳", "", "Top-level: title: '' is empty"),
    ("no items", '"items": [', '"_items": [', "Top-level: items: is missing"),
    ("items that are not an array", '"items": [', '"items": 1, "_items": [', "Top-level: items: 1 is not an array"),
    ("a relative home", '"https://example.com/",', '"/",', "Top-level: home_page_url: '/' is not an absolute"),
    ("no home", '"home_page_url": "https://example.com/",', "", "Top-level: home_page_url: is missing"),
    ("a relative address", "https://example.com/feeds/feed.json", "feed.json", "Top-level: feed_url: 'feed.json'"),
    ("no address", '"feed_url": "https://example.com/feeds/feed.json",', "", "Top-level: feed_url: is missing"),
    ("itself next", "/feeds/2.json", "/feeds/feed.json", "Top-level: next_url: is the feed's own address"),
    ("a language", '"ja"', '"ja_JP"', "Top-level: language: 'ja_JP' is not a language tag"),
    ("a null", '"expired": false', '"expired": null', "Top-level: expired: is null"),
    ("a flag", '"expired": false', '"expired": "no"', "Top-level: expired: 'no' is neither true nor false"),
    ("an unknown member", '"expired"', '"until"', "Extensions: until: is unknown"),
    ("an extension with a point", '"_feeds"', '"_feeds.x"', "Extensions: _feeds.x: is unknown"),
    ("the author of 1.0", '"expired": false', '"author": {"name": "葵"}', "Top-level: author: is deprecated"),
    (
        "an empty author",
        '{"name": "葵", "url": "https://example.com/aoi"}',
        '{"_x": 1}',
        "authors[0]: none of",
    ),
    ("an author as text", '{"name": "葵", "url": "https://example.com/aoi"}', '"葵"', "authors[0]: none of"),
    (
        "an author's address",
        '"https://example.com/aoi"',
        '"aoi"',
        "Top-level: authors[0].url: 'aoi' is not an absolute",
    ),
    (
        "authors that are not an array",
        '[{"name": "葵", "url": "https://example.com/aoi"}]',
        '"葵"',
        "authors: '葵' is not an array",
    ),
    (
        "a hub without type",
        '"type": "WebSub", ',
        "",
        "Subscribing to Real-time Notifications: hubs[0].type: is missing",
    ),
    ("a hub without url", ', "url": "https://hub.example/"', "", "hubs[0].url: is missing"),
    ("no id", '"id": "tag:example.com,2026:雨",', "", "Items: items[0].id: is missing"),
    ("an empty id", "tag:example.com,2026:雨", "", "Items: items[0].id: '' is empty"),
    ("a number for an id", '"tag:example.com,2026:雨"', "7", "Items: items[0].id: 7 is empty or not a text"),
    ("an id twice", "2026:tea", "2026:雨", "Items: items[1]: a second item 'tag:example.com,2026:雨'"),
    ("no content", '"content_text"', '"summary"', "Items: items[1]: neither content_html nor content_text"),
    ("Japanese in an address", "%E9%9B%A8", "雨", "Items: items[0].url: "),
    ("a title that is a number", '"雨の朝"', "7", "Items: items[0].title: 7 is not a string"),
    ("a date without a zone", "2026-11-20T00:00:00Z", "2026-11-20T00:00:00", "Items: items[0].date_modified: "),
    ("an invalid day", "2026-11-19T", "2026-02-30T", "Items: items[0].date_published: "),
    (
        "a numeric tag",
        '["雨", "庭"]',
        '["雨", 7]',
        "Items: items[0].tags: ['雨', 7] is not an array of strings",
    ),
    ("one tag", '["雨", "庭"]', '"雨"', "Items: items[0].tags: '雨' is not an array of strings"),
    ("an item's author", TEA_ITEM, TEA_ITEM[:-1] + ', "authors": [{}]}', "Items: items[1].authors[0]: none of"),
    ("an item's old author", TEA_ITEM, TEA_ITEM[:-1] + ', "author": {}}', "Items: items[1].author: is deprecated"),
    ("an attachment without url", '"url": "https://example.com/a.mp3", ', "", "attachments[0].url: is missing"),
    ("an attachment without type", '"mime_type": "audio/mpeg", ', "", "items[0].attachments[0].mime_type: is missing"),
    ("a size as text", '"size_in_bytes": 12', '"size_in_bytes": "12"', "size_in_bytes: '12' is not a number"),
    (
        "a negative duration",
        "3.5",
        "-1",
        "Attachments: items[0].attachments[0].duration_in_seconds: -1 is not a number",
    ),
    ("a size that is true", '"size_in_bytes": 12', '"size_in_bytes": true', "size_in_bytes: True is not a number"),
]
IN_OPML = [
    ("not well formed", "</opml>", "", "XML 1.0: "),
    ("another root", "<opml ", '<opml xmlns="http://opml.org/spec2" ', "XML 1.0 section 2.1"),
    ("another version", 'version="2.0"', 'version="1.0"', "OPML 2.0 <opml>: version is '1.0'"),
    (
        "two heads",
        "<body>",
        "<head><title>x</title></head><body>",
        "OPML 2.0 <opml>: needs one head, then one body",
    ),
    ("no title", "<title>庭の手帳</title>", "", "OPML 2.0 <head>: title is missing or empty"),
    ("an empty title", "<title>庭の手帳</title>", "<title/>", "OPML 2.0 <head>: title is missing or empty"),
    ("two titles", "<title>庭の手帳</title>", "<title>x</title><title>y</title>", "Notes 7: 2 times <title>"),
    ("an element of our own", "<dateModified>", "<made/><dateModified>", "OPML 2.0 <head>: has no <made>"),
    ("another day of the week", "Fri, 20", "Thu, 20", "OPML 2.0 <head>: <dateModified> 'Thu, 20 Nov"),
    ("a date of RFC 3339", "Fri, 20 Nov 2026 09:00:00 +0900", "2026-11-20T00:00:00Z", "<dateModified> '2026-"),
    ("an owner's address", "<dateModified>", "<ownerEmail>葵</ownerEmail><dateModified>", "<ownerEmail> '葵'"),
    ("an outline without text", ' text="More"', "", "OPML 2.0 Text attribute: an outline needs a text"),
    ("an empty text", 'text="More"', 'text=""', "OPML 2.0 <outline>: text '' is empty"),
    ("a feed without xmlUrl", ' xmlUrl="https://example.com/feeds/atom.xml"', "", "type rss needs xmlUrl"),
    (
        "a feed in capitals",
        'rss" text="庭" title="庭" xmlUrl',
        'RSS" text="庭" title="庭" htmlUrl',
        "type RSS needs",
    ),
    ("a relative feed", "https://example.com/feeds/atom.xml", "atom.xml", "xmlUrl 'atom.xml' is not an absolute"),
    ("an inclusion of nothing", ' url="https://example.com/more.opml"', "", "type include needs url"),
    ("a language", 'language="ja"', 'language="ja_JP"', "OPML 2.0 <outline>: language 'ja_JP'"),
    ("a comment", 'text="More"', 'text="More" isComment="no"', "isComment 'no' is neither"),
    ("an attribute of our own", 'text="More"', 'text="More" slug="x"', "Extending OPML: slug is allowed only"),
    ("another element", OUTLINE, "<feed/>", "Extending OPML: <feed> is allowed only in a namespace"),
    ("an empty body", OPML[OPML.index("<outline ") : OPML.index("</body>")], "", "OPML 2.0 <body>: no outline"),
]
FORMATS = [
    (atom_faults, ATOM, IN_ATOM),
    (rss_faults, RSS, IN_RSS),
    (json_faults, JSON, IN_JSON),
    (opml_faults, OPML, IN_OPML),
]
BROKEN = [
    pytest.param(faults, valid, *change, id=f"{faults.__name__[:4]}: {name}")
    for faults, valid, changes in FORMATS
    for name, *change in changes
]


def changed(valid, old, new):
    assert old in valid
    return valid.replace(old, new, 1).encode()


@pytest.mark.parametrize(("faults", "valid"), [row[:2] for row in FORMATS], ids=["atom", "rss", "json", "opml"])
def test_a_valid_document_has_no_faults(faults, valid):
    """A valid document in Japanese and English has no faults."""
    assert faults(valid.encode()) == []


@pytest.mark.parametrize(("faults", "valid", "old", "new", "message"), BROKEN)
def test_each_rule_can_fail(faults, valid, old, new, message):
    """One change of a valid document gives one line with the rule."""
    found = faults(changed(valid, old, new))
    assert len(found) == 1, found
    assert message in re.sub(r", line \d+(?=:)", "", found[0])


@pytest.mark.parametrize(
    ("faults", "valid", "old", "new"),
    [
        (atom_faults, ATOM, SECOND_ENTRY, "<id>tag:example.com,2026:雨</id>"),
        (atom_faults, ATOM, HREF, 'xml:base="https://example.com/" href="a/"'),
        (atom_faults, ATOM, 'rel="hub"', 'rel="alternate" hreflang="en" type="text/html"'),
        (atom_faults, ATOM, CONTENT, '<content type="image/png">a\nGk=</content>'),
        (
            atom_faults,
            ATOM,
            CONTENT,
            '<content type="image/svg+xml"><svg xmlns="http://www.w3.org/2000/svg"/></content>',
        ),
        (atom_faults, ATOM, CONTENT, '<content type="audio/mpeg" src="https://example.com/a.mp3"/>'),
        (atom_faults, ATOM, AUTHOR, f"{AUTHOR}<author><name>Ada</name></author>"),
        (atom_faults, ATOM, SUMMARY, f"<source><title>x</title>{AUTHOR}</source>{SUMMARY}"),
        (atom_faults, ATOM, "<entry>", f"<fh:archive/>{CURRENT}<entry>"),
        (atom_faults, ATOM, "<entry>", "<fh:complete/><entry>"),
        (atom_faults, ATOM, 'xml:lang="en"', 'xml:lang="zh-Hant-TW-x-a"'),
        (atom_faults, ATOM, 'rel="related"', 'rel="https://example.com/rels/see"'),
        (rss_faults, RSS, "1:02:03", "3723"),
        (rss_faults, RSS, "ada@example.com (Ada)", "ada@example.com"),
        (rss_faults, RSS, ENCODED, ""),
        (json_faults, JSON, '"name": "葵", "url": "https://example.com/aoi"', '"avatar": "https://example.com/a.png"'),
        (json_faults, JSON, '"https://example.com/aoi"', '"mailto:aoi@example.com"'),
        (opml_faults, OPML, 'text="More"', 'text="More" isComment="true" xmlns:x="urn:x" x:y="z"'),
    ],
)
def test_what_the_specifications_leave_free_is_no_fault(faults, valid, old, new):
    """Values that the specifications allow are not faults."""
    assert faults(changed(valid, old, new)) == []


@given(st.data())
def test_the_order_of_elements_says_nothing(data):
    """Elements may be in any order (RFC 4287, section 4.1), with entries last, which is a rule of this project."""
    feed = etree.fromstring(ATOM.encode())
    entries = feed.findall("{*}entry")
    for parent, moving in ((feed, [child for child in feed if child not in entries]), *((e, list(e)) for e in entries)):
        parent[: len(moving)] = data.draw(st.permutations(moving))
    assert atom_faults(etree.tostring(feed)) == []


def test_an_entry_may_be_a_document():
    """An entry may be a document (RFC 4287), and then needs an author."""
    entry = ATOM[ATOM.index("<entry xml:lang") : ATOM.index("</feed>")].replace("<entry", f"<entry {XMLNS}", 1)
    assert atom_faults(entry.encode()) == []
    assert len(atom_faults(changed(entry, "<author><name>Ada</name></author>", ""))) == 1


def test_every_fault_is_reported_with_its_line():
    """Every fault of the grammar is reported with its line, not only the first."""
    broken = ATOM
    for old, new in (('<category term="雨"/>', "<category/>"), ("<name>Ada</name>", ""), (HREF, 'href=""')):
        broken = changed(broken, old, new).decode()
    assert [fault.partition(": ")[0] for fault in atom_faults(broken.encode())] == [
        "RFC 4287 section 4.2.2, line 22",
        "RFC 4287 section 3.2, line 32",
        "RFC 4287 section 4.2.7, line 20",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2026-11-20T09:00:00+09:00", "2026-11-20T09:00:00+09:00", ""),
        ("2026-11-20T09:00:00+09:00", "2026-11-20T09:00:01+09:00", "its newest entry at 2026-11-20T00:00:00Z"),
        ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", "its newest entry at 2026-11-21T00:00:00Z"),
        (ATOM[ATOM.index("  <entry>") : ATOM.index("</feed>")], "", ""),
    ],
)
def test_a_feed_is_as_new_as_its_newest_entry(old, new, message):
    """`updated` of a feed is that of its newest entry, a rule of this project; without entries any time is allowed."""
    found = updated_faults(changed(ATOM, old, new))
    assert len(found) == bool(message)
    assert message in "".join(found)


def chain(**changes):
    """Return an archived feed of three documents, with changed links."""
    links = {"new": {"prev-archive": "b"}, "b": {"prev-archive": "a", "current": "new"}}
    links["a"] = {"next-archive": "b", "current": "new"}
    return {
        f"https://example.com/{name}.xml": ARCHIVE.format(
            name=name,
            mark="" if name == "new" else "<fh:archive/>",
            links="".join(f'<link rel="{r}" href="https://example.com/{to}.xml"/>' for r, to in related.items() if to),
        ).encode()
        for name, related in (links | {name: links[name] | changed for name, changed in changes.items()}).items()
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"new": {"prev-archive": "a"}}, "a.xml: next-archive is https://example.com/b.xml, not None"),
        ({"new": {"prev-archive": None}}, "no prev-archive leads to https://example.com/b.xml"),
        ({"b": {"prev-archive": None}}, "no prev-archive leads to https://example.com/a.xml"),
        ({"b": {"prev-archive": "c"}}, "prev-archive leads to https://example.com/c.xml, which is missing"),
        (
            {"a": {"prev-archive": "b"}},
            "prev-archive leads to https://example.com/b.xml, which is missing or repeated",
        ),
        ({"a": {"next-archive": None}}, "a.xml: next-archive is None, not https://example.com/b.xml"),
        ({"a": {"current": "b"}}, "a.xml: current is https://example.com/b.xml, not https://example.com/new.xml"),
        ({"b": {"next-archive": "a"}}, "b.xml: next-archive is https://example.com/a.xml, not None"),
        ({"b": {"current": None}}, "b.xml: RFC 5005 section 4, line 1: an archive needs a current link"),
    ],
)
def test_archives_are_a_chain(changes, message):
    """Archive links lead from the subscription document to the oldest, each once, and back."""
    assert archive_faults(chain()) == []
    assert any(message in fault for fault in archive_faults(chain(**changes)))


def test_an_archived_feed_has_one_subscription_document():
    """An archived feed needs one document that is not marked as an archive."""
    archives = {address: document for address, document in chain().items() if "new" not in address}
    assert archive_faults(archives) == ["RFC 5005 section 4: one document is the subscription document, not 0"]


@pytest.mark.parametrize(
    ("shape", "fitting", "others"),
    [
        (
            values.HTTP,
            "https://example.com http://[::1]:80/a?b=/?#c https://a.example/~x/%E9",
            "/a http:a https:///a ftp://a",
        ),
        (
            values.URI,
            "mailto:a@b.example urn:uuid:1 tag:a,2026:b/c https://a.example#b",
            "a urn: http:a https://a#b#c a:%zz",
        ),
        (values.REFERENCE, "a ../b ?c #d //e.example/f https://a.example", "雨 a%2 <a> a|b https:///a"),
        (values.IRI, "tag:a,2026:雨 https://日本.example/雨?雨#雨 urn:🌧", "雨 tag:a\u3000b tag:a\u200eb urn:\ue000"),
        (values.LANGUAGE, "ja en-GB zh-Hant-TW sl-rozaj-biske de-1996 en-a-bcd x-y", "j en_GB en- en-GB-US 日本 en-a"),
        (values.MEDIA_TYPE, "text/html image/svg+xml text/plain;charset=utf-8", "text text/ /html 雨/雨"),
        (values.EMAIL, "a@b.example 葵@例.example", "a a@b @b.example a@@b.example"),
        (
            values.RFC_3339,
            "2024-02-29T23:59:59Z 2026-01-01T00:00:00.5-09:30",
            "2026-02-29T00:00:00Z 2026-01-01 2026-01-01T00:00:60Z",
        ),
    ],
)
def test_values_have_their_shape(shape, fitting, others):
    """Each shape accepts valid texts and rejects others, and values that are not text."""
    assert [text for text in fitting.split(" ") if not shape.fits(text)] == []
    assert [text for text in ["", *others.split(" ")] if shape.fits(text)] == (
        [""] if shape is values.REFERENCE else []
    )
    assert not shape.fits(None)
    assert not shape.fits(7)
