using Twin.Hardware.Coding;
using Twin.Hardware.Wire;
using Xunit.Abstractions;

namespace Twin.Hardware.Tests.Wire;

/// <summary>
/// Mutated messages never make a decoder throw, run long or point outside: real telegrams where they lie at hand, and
/// built ones of every kind.
/// </summary>
public class FuzzTests(ITestOutputHelper output)
{
    private static readonly byte[] Title = Telegrams.Hex("4D4D4D0000BC614E");
    private static readonly MeterId Meter = MeterId.FromSystemTitle(Title);

    /// <summary>Steps that a pull reader may take over one message: one for a byte, and its own bound.</summary>
    private static void Walk(ReadOnlySpan<byte> data)
    {
        var reader = new CosemReader(data);
        var steps = 0;
        while (reader.TryNext(out var item))
        {
            Assert.True(++steps <= data.Length);
            _ = item.TryNumber(out _) | item.TryObis(out _) | item.TryDateTime(out var time);
            time.TryToUnixTime(0, out _, out _);
            if (item.Tag == CosemTag.CompactArray) WalkCompact(item.Content);
        }
        Within(reader.Error, data.Length);
    }

    private static void WalkCompact(ReadOnlySpan<byte> content)
    {
        var reader = new CompactArrayReader(content);
        var steps = 0;
        while (reader.TryNext(out _)) Assert.True(++steps <= CosemReader.MaxItems);
        Within(reader.Error, content.Length);
    }

    private static void Within(WireError error, int length) => Assert.InRange(error.Offset, 0, length);

    private sealed class Decoder : IDisposable
    {
        private readonly FrameKeys _keys = new();
        private readonly List<PushValue> _values = [];
        private readonly byte[] _plain = new byte[4096];

        public Decoder()
        {
            _keys.Set(Meter, KeyUse.GlobalUnicast, new byte[16], new byte[16]);
            _keys.SetMaster(Meter, new byte[16], new byte[16]);
        }

        public void Dispose() => _keys.Dispose();

        /// <summary>Gives the bytes to every decoder that could get them; true when one took them.</summary>
        public bool Run(ReadOnlySpan<byte> bytes)
        {
            var taken = false;
            if (Hdlc.TryRead(bytes, out var hdlc, out var error))
            {
                taken = true;
                if (Llc.TryRead(hdlc.Information, out var apdu, out _, out error)) Apdu(apdu);
                Within(error, hdlc.Information.Length);
            }
            else Within(error, bytes.Length);
            if (Mbus.TryRead(bytes, out var part, out error)) taken = Apdu(part.Part) | true;
            Within(error, bytes.Length);
            if (TcpWrapper.TryRead(bytes, out var wrapped, out error)) taken = Apdu(wrapped.Apdu) | true;
            Within(error, bytes.Length);
            return taken | Apdu(bytes);
        }

        private bool Apdu(ReadOnlySpan<byte> apdu)
        {
            Walk(apdu);
            var error = default(WireError);
            var taken = ApduTags.Of(apdu) switch
            {
                ApduTag.DataNotification => Push(apdu, out error),
                ApduTag.GeneralSigning => Signed.TryRead(apdu, out _, out error),
                ApduTag.GeneralBlockTransfer => GeneralBlock.TryRead(apdu, out _, out error),
                ApduTag.Aarq => Associate(apdu, out error),
                ApduTag.Aare => AssociationResponse.TryRead(apdu, out _, out error),
                ApduTag.Rlrq or ApduTag.Rlre => ReleaseMessage.TryRead(apdu, out _, out error),
                ApduTag.GetRequest or ApduTag.SetRequest or ApduTag.ActionRequest => Request(apdu, out error),
                ApduTag.GetResponse or ApduTag.SetResponse or ApduTag.ActionResponse => Response(apdu, out error),
                ApduTag.EventNotification => EventNotification.TryRead(apdu, out _, out error),
                ApduTag.ExceptionResponse => ExceptionResponse.TryRead(apdu, out _, out error),
                _ => Open(apdu, out error),
            };
            Within(error, apdu.Length);
            Assert.Equal(taken, !error.IsError);
            return taken;
        }

        private bool Push(ReadOnlySpan<byte> apdu, out WireError error)
        {
            if (!DataNotification.TryRead(apdu, out var push, out error)) return false;
            PushList.TryRead(push.Body, _values, out _, out var inner);
            Within(inner, push.Body.Length);
            if (LoadProfilePush.TryRead(push.Body, out var profile, out inner))
            {
                var rows = profile.GetRows();
                var n = 0;
                while (rows.TryNext(out _)) Assert.True(++n <= LoadProfilePush.MaxRows);
                inner = rows.Error;
            }
            Within(inner, push.Body.Length);
            KeyTransfer.TryRead(push.Body, out _, out inner);
            Within(inner, push.Body.Length);
            return true;
        }

        private bool Open(ReadOnlySpan<byte> apdu, out WireError error)
        {
            if (!Protected.TryRead(apdu, Title, out var message, out error)) return false;
            var opened = message.TryOpen(_keys, Meter, _plain, out var length, out var inner);
            Within(inner, apdu.Length);
            if (opened) Walk(_plain.AsSpan(0, length));
            return true;
        }

        private static bool Associate(ReadOnlySpan<byte> apdu, out WireError error)
        {
            if (!AssociationRequest.TryRead(apdu, out var request, out error)) return false;
            InitiateRequest.TryRead(request.Initiate, out _, out var inner);
            Within(inner, request.Initiate.Length);
            InitiateResponse.TryRead(request.Initiate, out _, out inner);
            Within(inner, request.Initiate.Length);
            return true;
        }

        private static bool Request(ReadOnlySpan<byte> apdu, out WireError error)
        {
            if (!CosemRequest.TryRead(apdu, out var request, out error)) return false;
            var targets = request.Targets;
            var n = 0;
            while (n < request.ListCount && request.TryTakeTarget(ref targets, out _, out _)) n++;
            Assert.Equal(request.ListCount, n);
            return true;
        }

        private static bool Response(ReadOnlySpan<byte> apdu, out WireError error)
        {
            if (!CosemResponse.TryRead(apdu, out var response, out error)) return false;
            var answers = response.Answers;
            var n = 0;
            while (n < response.ListCount && response.TryTakeAnswer(ref answers, out _, out _)) n++;
            Assert.Equal(response.ListCount, n);
            return true;
        }
    }

    private static List<byte[]> Sound()
    {
        var all = FuzzMessages.Built(Title, Meter);
        if (Telegrams.Folder is null) return all;
        foreach (var file in Directory.GetFiles(Path.Combine(Telegrams.Folder, "dlms_dumps"), "*.log").Order())
        {
            var link = file.Contains("mbus") ? LinkKind.Mbus : LinkKind.Hdlc;
            all.AddRange(Telegrams.Split(link, Telegrams.ReadHex(file, out _)).Frames);
        }
        return all;
    }

    /// <summary>Changes bits and bytes, cuts, repeats, splices; often mends the check sequences behind it.</summary>
    private static int Mutate(SplitMix64 random, List<byte[]> sound, byte[] into)
    {
        var source = sound[random.Next(sound.Count)];
        source.CopyTo(into, 0);
        var length = source.Length;
        for (var changes = 1 + random.Next(4); changes > 0 && length > 1; changes--)
        {
            var at = random.Next(length);
            switch (random.Next(7))
            {
                case 0: into[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: into[at] = (byte)random.Next(256); break;
                case 2: into[at] = random.Next(2) == 0 ? (byte)0xFF : (byte)(0x80 + random.Next(5)); break;
                case 3: into[at] = (byte)random.Next(28); break;
                case 4: length = at + 1; break;
                case 5:
                    var other = sound[random.Next(sound.Count)];
                    var count = Math.Min(random.Next(other.Length) + 1, length - at);
                    other.AsSpan(other.Length - count).CopyTo(into.AsSpan(at));
                    break;
                default:
                    var more = Math.Min(random.Next(32), into.Length - length);
                    into.AsSpan(at, length - at).ToArray().CopyTo(into.AsSpan(at + more));
                    length += more;
                    break;
            }
        }
        if (into[0] == Hdlc.Flag && random.Next(4) != 0) Mend(into.AsSpan(0, length));
        return length;
    }

    /// <summary>Makes length, flags and check sequences right again, so that the inner decoders are reached.</summary>
    private static void Mend(Span<byte> frame)
    {
        if (frame.Length is < 12 or > Hdlc.MaxFrameBytes) return;
        var counted = frame.Length - 2;
        (frame[1], frame[2], frame[^1]) = ((byte)(0xA0 | counted >> 8), (byte)(counted & 0xFF), Hdlc.Flag);
        var at = 3;
        for (var addresses = 0; addresses < 2 && at < frame.Length - 6; at++)
            if ((frame[at] & 1) != 0) addresses++;
        at++;
        if (at + 2 > frame.Length - 3) return;
        var header = Crc16.Of(frame[1..at]);
        (frame[at], frame[at + 1]) = ((byte)(header & 0xFF), (byte)(header >> 8));
        var check = Crc16.Of(frame[1..^3]);
        (frame[^3], frame[^2]) = ((byte)(check & 0xFF), (byte)(check >> 8));
    }

    private int Run(ulong seed, int runs)
    {
        var (random, sound, into) = (new SplitMix64(seed), Sound(), new byte[8192]);
        using var decoder = new Decoder();
        foreach (var message in sound) Assert.True(decoder.Run(message), Convert.ToHexString(message));
        var taken = 0;
        for (var run = 0; run < runs; run++)
        {
            var length = Mutate(random, sound, into);
            try
            {
                if (decoder.Run(into.AsSpan(0, length))) taken++;
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {seed}, run {run}, {Convert.ToHexString(into.AsSpan(0, length))}: {e}");
            }
        }
        output.WriteLine($"seed {seed}: {runs} mutated messages, {taken} still valid");
        return taken;
    }

    [Fact]
    public void Mutated_messages_give_a_result_or_an_error()
    {
        // Neither all refused nor all taken: the mutations reach both ways out.
        Assert.InRange(Run(seed: 20_261, 500_000), 50_000, 450_000);
    }

    [Fact]
    [Trait("Category", "Long")]
    public void Millions_of_mutated_messages_give_a_result_or_an_error()
    {
        if (Environment.GetEnvironmentVariable("METERTWIN_LONG") != "1")
        {
            output.WriteLine("Not run: it takes METERTWIN_LONG=1.");
            return;
        }
        for (ulong seed = 1; seed <= 8; seed++) Assert.InRange(Run(seed, 5_000_000), 500_000, 4_500_000);
    }

    [Fact]
    public void A_splitter_accounts_for_every_byte_of_a_damaged_stream()
    {
        var (random, sound) = (new SplitMix64(5), Sound().Where(m => m[0] == Hdlc.Flag).ToList());
        for (var n = 0; n < 300; n++)
        {
            var (stream, into) = (new List<byte>(), new byte[8192]);
            for (var i = 0; i < 6; i++) stream.AddRange(into.AsSpan(0, Mutate(random, sound, into)));
            stream.AddRange(sound[n % sound.Count]);
            var (frames, rejected, noise) = Telegrams.Split(LinkKind.Hdlc, [.. stream], 1 + random.Next(700));
            Assert.InRange(frames.Count + rejected.Count, 1, stream.Count);
            Assert.InRange(noise, 0, stream.Count);
            foreach (var frame in frames) Assert.True(Hdlc.TryRead(frame, out _, out _));
        }
    }
}
