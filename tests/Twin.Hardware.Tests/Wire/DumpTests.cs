using System.Globalization;
using System.Xml.Linq;
using Twin.Hardware.Wire;
using Xunit.Abstractions;

namespace Twin.Hardware.Tests.Wire;

/// <summary>Four pushes of real meters decode to the values that lie beside them as XML.</summary>
public class DumpTests(ITestOutputHelper output)
{
    private static XElement Xml(string name) => XDocument.Load(Telegrams.Dump($"{name}_decoded.xml")).Root!;

    private static byte[] Apdu(string name)
    {
        var link = name.StartsWith("mbus", StringComparison.Ordinal) ? LinkKind.Mbus : LinkKind.Hdlc;
        var (frames, rejected, noise) = Telegrams.Split(link, Telegrams.ReadHex(Telegrams.Dump($"{name}.log"), out _));
        Assert.Single(frames);
        Assert.Empty(rejected);
        // The closing flag of HDLC may open a next frame.
        Assert.Equal(link == LinkKind.Hdlc ? 1 : 0, noise);
        if (link == LinkKind.Mbus)
        {
            var assembly = new MessageAssembly();
            Assert.True(Mbus.TryRead(frames[0], out var part, out _));
            Assert.True(assembly.TryAdd(part, out var complete, out _));
            Assert.True(complete);
            return assembly.Message.ToArray();
        }
        Assert.True(Hdlc.TryRead(frames[0], out var frame, out _));
        Assert.True(Llc.TryRead(frame.Information, out var apdu, out var fromServer, out _));
        Assert.True(fromServer);
        return apdu.ToArray();
    }

    /// <summary>Walks data and XML together; the number of values compared.</summary>
    private static int Compare(XElement xml, ref CosemReader reader)
    {
        Assert.True(reader.TryNext(out var item), reader.Error.Describe());
        var value = xml.Attribute("Value")?.Value;
        switch (xml.Name.LocalName)
        {
            case "STRUCTURE" or "ARRAY":
                Assert.Equal(xml.Name.LocalName == "ARRAY" ? CosemTag.Array : CosemTag.Structure, item.Tag);
                Assert.Equal(int.Parse(xml.Attribute("Qty")!.Value, CultureInfo.InvariantCulture), item.Count);
                var count = 0;
                foreach (var child in xml.Elements()) count += Compare(child, ref reader);
                return count;
            case "OCTETSTRING":
                Assert.Equal(CosemTag.OctetString, item.Tag);
                Assert.Equal(value, item.TryObis(out var obis) ? obis.ToString()
                    : item.TryDateTime(out var time) ? time.ToString() : item.Text());
                return 1;
            case "VISIBLESTRING":
                Assert.Equal(CosemTag.VisibleString, item.Tag);
                Assert.Equal(value, item.Text());
                return 1;
            default:
                Assert.Equal(xml.Name.LocalName switch
                {
                    "UINT32" => CosemTag.DoubleLongUnsigned,
                    "UINT16" => CosemTag.LongUnsigned,
                    "INT16" => CosemTag.Long,
                    "INT8" => CosemTag.Integer,
                    "ENUM" => CosemTag.Enum,
                    var other => throw new InvalidDataException($"The XML has a {other}."),
                }, item.Tag);
                Assert.True(item.TryInteger(out var number));
                Assert.Equal(value, number.ToString(CultureInfo.InvariantCulture));
                return 1;
        }
    }

    private static int CompareNotification(XElement xml, ReadOnlySpan<byte> apdu)
    {
        Assert.True(DataNotification.TryRead(apdu, out var push, out var error), error.Describe());
        Assert.Equal(Telegrams.Number(xml.Attribute("LongInvokeId")!.Value), push.LongInvokeId);
        var time = xml.Element("DateTime")?.Attribute("Value")?.Value;
        Assert.Equal(time, push.HasTime ? push.Time.ToString() : null);
        var reader = new CosemReader(push.Body);
        var count = Compare(xml.Elements().Single(e => e.Name != "DateTime"), ref reader);
        Assert.True(reader.IsDone);
        Assert.Equal(push.Body.Length, reader.Position);
        return count;
    }

    [Theory]
    [InlineData("hdlc_kaifa_ma304h3e", 13)]
    [InlineData("hdlc_norway_han_1phase", 30)]
    public void Plain_pushes_decode_to_their_xml(string name, int values)
    {
        if (Telegrams.Folder is null) output.WriteLine(Telegrams.Absent);
        else Assert.Equal(values, CompareNotification(Xml(name), Apdu(name)));
    }

    [Fact]
    public void The_ciphered_push_of_kamstrup_opens_with_its_keys_and_decodes_to_its_xml()
    {
        if (Telegrams.Folder is null)
        {
            output.WriteLine(Telegrams.Absent);
            return;
        }
        const string name = "hdlc_kamstrup_omnipower";
        var (xml, apdu) = (Xml(name), Apdu(name));
        var ek = Telegrams.ReadHex(Telegrams.Dump($"{name}.key"), out _);
        var ak = Telegrams.ReadHex(Telegrams.Dump($"{name}.gak"), out _);
        Assert.True(Protected.TryRead(apdu, default, out var message, out _));
        Assert.Equal(xml.Attribute("SystemTitle")!.Value, Convert.ToHexString(message.Originator));
        Assert.Equal(xml.Attribute("FrameCounter")!.Value,
            message.InvocationCounter.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(new SecurityControl(0x30), message.Control);
        var meter = MeterId.FromSystemTitle(message.Originator);
        using var keys = new FrameKeys();
        var plain = new byte[message.Payload.Length];
        Assert.False(message.TryOpen(keys, meter, plain, out _, out var error));
        Assert.Equal(WireCode.NoKey, error.Code);
        keys.Set(meter, KeyUse.GlobalUnicast, ek, ak);
        Assert.True(message.TryOpen(keys, meter, plain, out var length, out error), error.Describe());
        Assert.Equal(65, CompareNotification(xml.Element("DataNotification")!, plain.AsSpan(0, length)));
        apdu[^1] ^= 1;
        Assert.True(Protected.TryRead(apdu, default, out message, out _));
        Assert.False(message.TryOpen(keys, meter, plain, out _, out error));
        Assert.Equal(new WireError(WireCode.AuthenticationFailed, message.PayloadOffset), error);
        Assert.All(plain, b => Assert.Equal(0, b));
    }

    [Fact]
    public void The_ciphered_push_on_m_bus_gives_title_counter_and_ciphertext()
    {
        if (Telegrams.Folder is null)
        {
            output.WriteLine(Telegrams.Absent);
            return;
        }
        var xml = Xml("mbus_kmswest");
        Assert.True(Protected.TryRead(Apdu("mbus_kmswest"), default, out var message, out var error), error.Describe());
        Assert.Equal(xml.Attribute("SystemTitle")!.Value, Convert.ToHexString(message.Originator));
        Assert.Equal(xml.Attribute("FrameCounter")!.Value,
            message.InvocationCounter.ToString(CultureInfo.InvariantCulture));
        Assert.True(message.Control.IsEncrypted);
        Assert.Equal(xml.Attribute("Ciphertext")!.Value,
            Convert.ToHexString(message.Payload) + Convert.ToHexString(message.AuthenticationTag));
    }
}
