using System.Globalization;
using System.Xml;
using Twin.Hardware;
using Twin.Ingest.Readers;

namespace Twin.Ingest.Cim;

/// <summary>
/// Reads messages of IEC 61968-100 as a stream: EndDeviceEvents and MeterReadings into a sink, replies as they are.
/// Names of elements count, not the year in their namespaces, which differs between editions. No document type is
/// taken, nothing outside is fetched, and texts, depth and characters have bounds.
/// </summary>
public static class CimReader
{
    /// <summary>Characters of one message; a longer one is refused when the bound is reached.</summary>
    public const long MaxCharacters = 256L * 1024 * 1024;

    /// <summary>Elements in each other; what nests deeper is no message of the standard.</summary>
    public const int MaxDepth = 32;

    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = MaxCharacters,
        MaxCharactersFromEntities = 1_024, IgnoreComments = true, IgnoreProcessingInstructions = true,
        IgnoreWhitespace = true,
    };

    /// <summary>
    /// Reads events and readings into the sink; how many it got. What came before a flaw stays in the sink: the
    /// message is to be sent again, and repeats are the same facts.
    /// </summary>
    /// <exception cref="CimError">It is no such message, or something in it is not understood.</exception>
    public static long Read(Stream message, ObservationSink sink)
    {
        long found = 0;
        Walk(message, (xml, name) =>
        {
            if (name == "EndDeviceEvent") found += CimEvents.Read(xml, sink);
            else if (name == "MeterReading") found += CimReadings.Read(xml, sink);
            else return false;
            return true;
        });
        return found;
    }

    /// <summary>Reads a reply.</summary>
    /// <exception cref="CimError">It is none.</exception>
    public static CimReply ReadReply(Stream message)
    {
        var texts = new Dictionary<string, string>();
        Walk(message, (xml, name) =>
        {
            if (name is not ("Verb" or "Noun" or "Timestamp" or "CorrelationID" or "Result" or "code" or "details"))
                return false;
            texts.TryAdd(name, Text(xml));
            return true;
        });
        string Get(string name) => texts.GetValueOrDefault(name, "");
        var result = ResultOf(Get("Result"));
        if (Get("CorrelationID").Length == 0) throw new CimError(0, 0, "a reply has a CorrelationID");
        UnixTime.TryParse(Get("Timestamp"), out var at);
        return new CimReply(new CimHeader(Get("Verb"), Get("Noun"), at, Get("CorrelationID"), ""), result, Get("code"),
            Get("details"));
    }

    internal static CimResult ResultOf(string text) => text.ToUpperInvariant() switch
    {
        "OK" => CimResult.Ok,
        "PARTIAL" => CimResult.Partial,
        "FAILED" => CimResult.Failed,
        _ => throw new CimError(0, 0, $"a reply has Result OK, PARTIAL or FAILED, not '{text}'"),
    };

    /// <summary>Attributes of one element; messages of the standard have a few, on their root.</summary>
    public const int MaxAttributes = 64;

    private static XmlReader Open(Stream message)
    {
        XmlTags.Check(message);
        try
        {
            return XmlReader.Create(message, Settings);
        }
        catch (XmlException e)
        {
            throw new CimError(Math.Max(1, e.LineNumber), Math.Max(1, e.LinePosition),
                "it is no XML that is taken: " + e.Message.Split('\n')[0]);
        }
    }

    /// <summary>Goes through all elements; <paramref name="take"/> reads one to its end, or leaves it.</summary>
    private static void Walk(Stream message, Func<XmlReader, string, bool> take)
    {
        using var xml = Open(message);
        try
        {
            var more = xml.Read();
            while (more)
            {
                if (xml.AttributeCount > MaxAttributes)
                    throw Bad(xml, $"an element has more than {MaxAttributes} attributes");
                if (xml.Depth > MaxDepth) throw Bad(xml, $"elements nest deeper than {MaxDepth}");
                // What was taken stands behind its end already.
                more = xml.NodeType == XmlNodeType.Element && take(xml, xml.LocalName) ? !xml.EOF : xml.Read();
            }
        }
        catch (XmlException e)
        {
            // A document type is refused without a place: it stands where the reader stopped.
            var stopped = (IXmlLineInfo)xml;
            throw new CimError(e.LineNumber == 0 ? Math.Max(1, stopped.LineNumber) : e.LineNumber,
                e.LineNumber == 0 ? Math.Max(1, stopped.LinePosition) : e.LinePosition,
                "it is no XML that is taken: " + e.Message.Split('\n')[0]);
        }
    }

    /// <summary>Text of an element without others in it; the reader stands behind it.</summary>
    internal static string Text(XmlReader xml)
    {
        var name = xml.LocalName;
        if (xml.IsEmptyElement)
        {
            xml.Read();
            return "";
        }
        var text = "";
        while (xml.Read() && xml.NodeType != XmlNodeType.EndElement)
        {
            if (xml.NodeType is not (XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace))
                throw Bad(xml, $"{name} holds text only");
            text += xml.Value.Length + text.Length <= CimHeader.MaxText ? xml.Value
                : throw Bad(xml, $"{name} has over {CimHeader.MaxText} characters");
        }
        xml.Read();
        return text.Trim();
    }

    /// <summary>
    /// The parts of an element: each child to <paramref name="take"/>, which reads it to its end or leaves it to be
    /// passed over. The reader stands behind the element afterwards.
    /// </summary>
    internal static void Parts(XmlReader xml, Func<string, bool> take)
    {
        if (xml.Depth > MaxDepth) throw Bad(xml, $"elements nest deeper than {MaxDepth}");
        if (xml.IsEmptyElement)
        {
            xml.Read();
            return;
        }
        xml.Read();
        while (xml.NodeType != XmlNodeType.EndElement && !xml.EOF)
        {
            if (xml.NodeType != XmlNodeType.Element) xml.Read();
            else if (!take(xml.LocalName)) xml.Skip();
        }
        xml.Read();
    }

    /// <summary>The first name, or else the mRID, of a device.</summary>
    internal static void Device(XmlReader xml, ref string device)
    {
        var (name, id) = ("", "");
        Parts(xml, part =>
        {
            if (part == "mRID") id = Text(xml);
            else if (part == "Names")
                Parts(xml, inner =>
                {
                    if (inner != "name") return false;
                    var text = Text(xml);
                    if (name.Length == 0) name = text;
                    return true;
                });
            else return false;
            return true;
        });
        if (device.Length == 0) device = name.Length > 0 ? name : id;
    }

    /// <exception cref="CimError">It is no time with a distance to UTC.</exception>
    internal static UnixTime Time(XmlReader xml)
    {
        var (line, text) = (xml as IXmlLineInfo, Text(xml));
        if (!DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"],
            CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) || !HasZone(text))
            throw new CimError(line?.LineNumber ?? 0, line?.LinePosition ?? 0,
                $"'{text}' is no time with a distance to UTC, as 2026-01-09T10:15:00Z");
        var at = new UnixTime(time.ToUnixTimeSeconds());
        return at.Seconds is >= UnixTime.MinSeconds and <= UnixTime.MaxSeconds ? at
            : throw new CimError(line?.LineNumber ?? 0, line?.LinePosition ?? 0, $"{text} is not of this age");
    }

    private static bool HasZone(string text) =>
        text.EndsWith('Z') || text.Length > 6 && text[^6] is '+' or '-' && text[^3] == ':';

    internal static CimError Bad(XmlReader xml, string problem)
    {
        var at = xml as IXmlLineInfo;
        return new CimError(at?.LineNumber ?? 0, at?.LinePosition ?? 0, problem);
    }
}
