using System.Text;
using System.Xml.Linq;
using Twin.Hardware;
using Twin.Ingest.Cim;
using Twin.Ingest.Readers;

namespace Twin.Ingest.Tests.Cim;

public class CimReaderTests
{
    private sealed class Heard : ObservationSink
    {
        public List<string> Lines { get; } = [];

        public override string? Check(string meter) => meter.Length == 0 ? "the meter has no name" : null;

        public override void Readings(string meter, Channel channel, int intervalMinutes, long startMinute,
            ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities, long sourceStamp) =>
            Lines.Add($"{meter} {channel} {UnixTime.FromMinutes(startMinute)} {intervalMinutes} {slots[0]}");

        public override void Register(string meter, Channel channel, UnixTime at, long value) =>
            Lines.Add($"{meter} {channel} {at} = {value}");

        public override void Event(string meter, UnixTime at, string profile, string code, string detail) =>
            Lines.Add($"{meter} {at} {profile} {code} {detail}");

        public override void Other(string meter, Input input, UnixTime at) => Lines.Add(input.Describe());

        public override void CountRounded() => Lines.Add("rounded");
    }

    private const string Events = """
        <EventMessage xmlns="http://iec.ch/TC57/2011/schema/message"><Header><Verb>created</Verb>
        <Noun>EndDeviceEvents</Noun></Header><Payload><EndDeviceEvents xmlns="http://iec.ch/TC57/2011/EndDeviceEvents#">
        <EndDeviceEvent><mRID>7</mRID><createdDateTime>2026-01-09T10:15:00Z</createdDateTime><reason>cover</reason>
        <Assets><mRID>x</mRID><Names><name>MT-7</name></Names></Assets>
        <EndDeviceEventType ref="3.12.29.212"/></EndDeviceEvent>
        <EndDeviceEvent><createdDateTime>2026-01-09T11:15:00+01:00</createdDateTime><Assets><mRID>MT-8</mRID></Assets>
        <EndDeviceEventType ref="0.26.38.85"/></EndDeviceEvent></EndDeviceEvents></Payload></EventMessage>
        """;

    private const string Readings = """
        <MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#"><MeterReading>
        <IntervalBlocks><IntervalReadings><timeStamp>2026-01-09T00:15:00Z</timeStamp>
        <value>0.25</value></IntervalReadings>
        <IntervalReadings><timeStamp>2026-01-09T00:30:00Z</timeStamp><value>0.1255</value></IntervalReadings>
        <ReadingType ref="0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/></IntervalBlocks>
        <Meter><Names><name>MT-7</name></Names></Meter>
        <Readings><timeStamp>2026-01-09T00:00:00Z</timeStamp><value>1234</value>
        <ReadingType ref="0.0.0.1.19.1.12.0.0.0.0.0.0.0.0.0.72.0"/></Readings>
        <Readings><timeStamp>2026-01-09T00:00:00Z</timeStamp><value>230</value>
        <ReadingType ref="0.0.0.12.0.1.54.0.0.0.0.0.0.0.128.0.29.0"/></Readings></MeterReading></MeterReadings>
        """;

    private static (long Count, List<string> Lines) Read(string text)
    {
        var heard = new Heard();
        return (CimReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), heard), heard.Lines);
    }

    [Fact]
    public void Events_keep_their_code_of_four_parts()
    {
        var (count, lines) = Read(Events);
        Assert.Equal(2, count);
        Assert.Equal(["MT-7 2026-01-09T10:15:00Z cim 3.12.29.212 cover", "MT-8 2026-01-09T10:15:00Z cim 0.26.38.85 "],
            lines);
    }

    [Fact]
    public void Intervals_end_where_they_are_stamped_and_what_is_no_energy_is_passed_over()
    {
        var (count, lines) = Read(Readings);
        Assert.Equal(3, count);
        Assert.Equal(["MT-7 Import 2026-01-09T00:00:00Z 15 250", "rounded",
            "MT-7 Import 2026-01-09T00:15:00Z 15 126", "MT-7 Export 2026-01-09T00:00:00Z = 1234"], lines);
    }

    [Theory]
    [InlineData("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", 1, "no XML that is taken")]
    [InlineData("<a>\n <b></a>", 2, "no XML that is taken")]
    [InlineData("<EndDeviceEvent>\n<createdDateTime>2026-01-09T10:15:00</createdDateTime></EndDeviceEvent>", 2,
        "no time with a distance to UTC")]
    [InlineData("<EndDeviceEvent>\n<createdDateTime>2026-01-09T10:15:00Z</createdDateTime>\n<EndDeviceEventType "
        + "ref=\"47\"/></EndDeviceEvent>", 3, "four numbers")]
    [InlineData("<MeterReading><Readings>\n<value>x</value></Readings></MeterReading>", 2, "a value is a number")]
    public void A_flaw_is_told_with_its_line(string text, int line, string problem)
    {
        var e = Assert.Throws<CimError>(() => Read(text));
        Assert.Equal(line, e.Line);
        Assert.Contains(problem, e.Message);
    }

    [Fact]
    public void What_nests_without_end_is_refused() =>
        Assert.Throws<CimError>(() => Read(string.Concat(Enumerable.Repeat("<a>", CimReader.MaxDepth + 2))
            + string.Concat(Enumerable.Repeat("</a>", CimReader.MaxDepth + 2))));

    /// <summary>Damaged messages are refused or read, and nothing else happens.</summary>
    [Fact]
    public void Damage_ends_in_an_error_or_not_at_all()
    {
        var (draw, refused) = (new SplitMix64(61968), 0);
        for (var i = 0; i < 4_000; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(i % 2 == 0 ? Events : Readings);
            for (var n = 1 + draw.Next(4); n > 0; n--) bytes[draw.Next(bytes.Length)] = (byte)draw.Next(256);
            try
            {
                CimReader.Read(new MemoryStream(bytes, 0, 1 + draw.Next(bytes.Length)), new Heard());
            }
            catch (CimError)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 2_000, 4_000);
    }

    [Fact]
    public void A_request_says_who_is_to_do_what_and_where_to_reply()
    {
        var header = new CimHeader("create", EndDeviceControls.Noun, new UnixTime(1_767_953_700), "00aa-1",
            "http://here/replies");
        var xml = XDocument.Parse(Encoding.UTF8.GetString(EndDeviceControls.ToXml(header,
            [new("MT-7", ResponseRung.Disconnect, false, "WO-1", "danger <&>\u0001")])));
        string Of(string name) => xml.Descendants().Single(e => e.Name.LocalName == name).Value;
        Assert.Equal(("create", "EndDeviceControls", "00aa-1", "http://here/replies", "MT-7", "danger <&>?"),
            (Of("Verb"), Of("Noun"), Of("CorrelationID"), Of("ReplyAddress"), Of("name"), Of("reason")));
        Assert.Equal("3.31.0.23", xml.Descendants().Single(e => e.Name.LocalName == "EndDeviceControlType")
            .Attribute("ref")!.Value);
        Assert.Equal(["3.31.0.18", "3.31.0.18", "urn:metertwin:end-device-control:1:blockwrites:undo"],
            [EndDeviceControls.CodeOf(ResponseRung.Reconnect, false), EndDeviceControls.CodeOf(ResponseRung.Disconnect,
                true), EndDeviceControls.CodeOf(ResponseRung.BlockWrites, true)]);
    }

    [Fact]
    public void A_reply_tells_result_and_code()
    {
        static CimReply Reply(string body) => CimReader.ReadReply(new MemoryStream(Encoding.UTF8.GetBytes(
            "<ResponseMessage><Header><Verb>reply</Verb><CorrelationID>a-1</CorrelationID></Header><Reply>" + body
            + "</Reply></ResponseMessage>")));
        Assert.Equal((CimResult.Ok, "a-1"), (Reply("<Result>OK</Result>").Result,
            Reply("<Result>OK</Result>").Header.CorrelationId));
        Assert.Equal((CimResult.Failed, "2.4"), (Reply("<Result>FAILED</Result><Error><code>2.4</code></Error>").Result,
            Reply("<Result>FAILED</Result><Error><code>2.4</code></Error>").Code));
        Assert.Throws<CimError>(() => Reply("<Result>MAYBE</Result>"));
    }

    [Fact]
    public void A_tag_without_end_and_an_encoding_that_nobody_speaks_are_refused_at_once()
    {
        static string Refused(byte[] bytes) => Assert.Throws<CimError>(() =>
            CimReader.Read(new MemoryStream(bytes), new Heard())).Message;
        var many = "<a " + string.Concat(Enumerable.Range(0, 1_000_000).Select(n => $"a{n}='>' ")) + "/>";
        Assert.Contains("a tag has more than", Refused(Encoding.UTF8.GetBytes(many)), StringComparison.Ordinal);
        Assert.Contains("a tag has more than", Refused([0xFF, 0xFE, .. Encoding.Unicode.GetBytes(many)]),
            StringComparison.Ordinal);
        var some = "<a " + string.Concat(Enumerable.Range(0, 100).Select(n => $"a{n}='' ")) + "/>";
        Assert.Contains("attributes", Refused(Encoding.UTF8.GetBytes(some)), StringComparison.Ordinal);
        foreach (byte[] head in (byte[][])[[0x4C, 0x6F, 0xA7, 0x94], [0, 0, 0, 0x3C], [0x3C, 0, 0, 0]])
            Assert.Contains("UTF-8", Refused([.. head, .. new byte[64]]), StringComparison.Ordinal);
        Assert.Contains("no XML", Refused(Encoding.ASCII.GetBytes("<?xml version='1.0' encoding='IBM037'?><a/>")),
            StringComparison.Ordinal);
        // Quotes in texts, comments and data are no quotes of a tag.
        var text = new string('x', 20_000);
        var well = $"<a><!-- don't {text} --><b>it's {text}</b><![CDATA[ <c d=\" {text} ]]></a>";
        Assert.Equal(0, CimReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(well)), new Heard()));
    }
}
