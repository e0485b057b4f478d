using System.Text;
using System.Text.Json;
using System.Xml;
using Twin.Hardware;

namespace Twin.Ingest.Cim;

/// <summary>One thing that a device is to do. <paramref name="Device"/>: its name at the head-end.</summary>
public sealed record EndDeviceControl(string Device, ResponseRung Rung, bool IsUndo, string Order, string Reason);

/// <summary>
/// EndDeviceControls of IEC 61968-9. Codes of four parts that head-ends are known to use, as Connexo of Honeywell has
/// them: 3.31.0.23 opens the remote switch of an electric meter, 3.31.0.18 closes it. What has no code there goes out
/// under <see cref="Extension"/>, which a head-end has to be taught, as the name of the response in lower case and,
/// where it is taken back, <c>:undo</c>.
/// </summary>
public static class EndDeviceControls
{
    public const string Noun = "EndDeviceControls", Open = "3.31.0.23", Close = "3.31.0.18";

    /// <summary>MeterTwin's own controls, first version.</summary>
    public const string Extension = "urn:metertwin:end-device-control:1:";

    /// <summary>Code of what is to be done.</summary>
    public static string CodeOf(ResponseRung rung, bool isUndo) => (rung, isUndo) switch
    {
        (ResponseRung.Disconnect, false) or (ResponseRung.Reconnect, true) => Open,
        (ResponseRung.Reconnect, false) or (ResponseRung.Disconnect, true) => Close,
        _ => Extension + rung.ToString().ToLowerInvariant() + (isUndo ? ":undo" : ""),
    };

    /// <summary>The request as XML.</summary>
    public static byte[] ToXml(CimHeader header, IReadOnlyList<EndDeviceControl> controls)
    {
        using var bytes = new MemoryStream();
        using (var xml = XmlWriter.Create(bytes, new XmlWriterSettings { Encoding = new UTF8Encoding(false) }))
        {
            xml.WriteStartElement("RequestMessage", CimHeader.Namespace);
            Write(xml, header);
            xml.WriteStartElement("Payload", CimHeader.Namespace);
            var ns = CimHeader.NamespaceOf(Noun);
            xml.WriteStartElement(Noun, ns);
            foreach (var control in controls) Write(xml, ns, control);
        }
        return bytes.ToArray();
    }

    private static void Write(XmlWriter xml, CimHeader header)
    {
        xml.WriteStartElement("Header", CimHeader.Namespace);
        void Element(string name, string value)
        {
            if (value.Length > 0) xml.WriteElementString(name, CimHeader.Namespace, value);
        }
        Element("Verb", header.Verb);
        Element("Noun", header.Noun);
        Element("Timestamp", header.At.ToString());
        Element("Source", "MeterTwin");
        Element("AsyncReplyFlag", header.ReplyAddress.Length > 0 ? "true" : "");
        Element("ReplyAddress", header.ReplyAddress);
        Element("MessageID", header.CorrelationId);
        Element("CorrelationID", header.CorrelationId);
        xml.WriteEndElement();
    }

    private static void Write(XmlWriter xml, string ns, EndDeviceControl control)
    {
        xml.WriteStartElement("EndDeviceControl", ns);
        if (control.Order.Length > 0) xml.WriteElementString("issuerTrackingID", ns, control.Order);
        if (control.Reason.Length > 0) xml.WriteElementString("reason", ns, Printable(control.Reason));
        xml.WriteStartElement("EndDeviceControlType", ns);
        xml.WriteAttributeString("ref", CodeOf(control.Rung, control.IsUndo));
        xml.WriteEndElement();
        xml.WriteStartElement("EndDevices", ns);
        xml.WriteStartElement("Names", ns);
        xml.WriteElementString("name", ns, Printable(control.Device));
        xml.WriteEndElement();
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    /// <summary>XML has no way to write control characters.</summary>
    private static string Printable(string text) =>
        string.Concat(text.EnumerateRunes().Select(r => Rune.IsControl(r) || r == Rune.ReplacementChar
            || r.Value is 0xFFFE or 0xFFFF ? "?" : r.ToString()));

    /// <summary>The same as JSON, MeterTwin's own variant, for head-ends without XML.</summary>
    public static byte[] ToJson(CimHeader header, IReadOnlyList<EndDeviceControl> controls) =>
        JsonSerializer.SerializeToUtf8Bytes(new
        {
            header = new
            {
                verb = header.Verb, noun = header.Noun, timestamp = header.At.ToString(),
                correlationId = header.CorrelationId, replyAddress = header.ReplyAddress,
            },
            controls = controls.Select(c => new
            {
                device = c.Device, type = CodeOf(c.Rung, c.IsUndo), order = c.Order, reason = c.Reason,
            }),
        });
}
