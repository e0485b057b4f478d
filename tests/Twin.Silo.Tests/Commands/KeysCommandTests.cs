using System.Text;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Wire;
using Twin.Silo.Tests.Crash;

namespace Twin.Silo.Tests.Commands;

/// <summary>The keyed mode from end to end: keys open frames and are found nowhere but in their own file.</summary>
public sealed class KeysCommandTests : IDisposable
{
    private const string Title = "4D54570000000001", Passphrase = "a passphrase of the test";
    private static readonly byte[] Key = [.. Enumerable.Range(0, 16).Select(static i => (byte)(0x31 + 5 * i))];
    private static readonly byte[] Authentication =
        [.. Enumerable.Range(0, 16).Select(static i => (byte)(0xF3 - 7 * i))];

    private static readonly (string, string)[] Environment = [("METERTWIN_KEYS_PASSPHRASE", Passphrase)];

    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static byte[] Frame()
    {
        var plain = new ByteWriter();
        DataNotification.WriteHead(plain, 1, CosemDateTime.FromUnixTime(new UnixTime(1_767_355_200), 0));
        var cosem = new CosemWriter(plain);
        cosem.Structure(2);
        cosem.LogicalName(Obis.ImportTotal);
        cosem.DoubleLongUnsigned(123_456);
        using var keys = new FrameKeys();
        keys.Set(MeterId.ParseOrMap(Title), KeyUse.GlobalUnicast, Key, Authentication);
        var apdu = new ByteWriter();
        Assert.Equal(WireCode.None, Protected.Write(apdu, ApduTag.GeneralGloCiphering, keys,
            MeterId.ParseOrMap(Title), Convert.FromHexString(Title), new SecurityControl(0, true, true), 9,
            plain.Written));
        var frame = new ByteWriter();
        TcpWrapper.Write(frame, 1, 102, apdu.Written);
        return frame.ToArray();
    }

    private string Run(params string[] args)
    {
        var (exit, output, errors) = Metertwin.Run(Environment, args);
        Assert.True(exit == 0, errors);
        return output + errors;
    }

    [Fact]
    public void Keys_open_frames_and_are_nowhere_else()
    {
        var (file, source, data) = (_directory.Sub("keys"), _directory.Sub("keys.csv"), _directory.Sub("data"));
        var log = _directory.Sub("push.hex");
        File.WriteAllText(log, Convert.ToHexString(Frame()) + "\n");
        File.WriteAllText(source, "meter,slot,key\n"
            + $"{Title},encryption_unicast,{Convert.ToHexString(Key)}\n"
            + $"{Title},authentication,{Convert.ToHexString(Authentication)}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(source, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var shown = Run("keys", "init", file) + Run("keys", "import", file, source) + Run("keys", "list", file);
        File.Delete(source);
        var closed = Run("replay", log, "--json");
        Assert.Contains("\"frames\": {\n    \"valid\": 0,\n    \"rejected\": 1\n  }", closed);
        shown += Run("replay", log, "--keys", file, "--data", data, "--json", "--rejects", _directory.Sub("rejects"));
        Assert.Contains("\"frames\": {\n    \"valid\": 1,\n    \"rejected\": 0\n  }", shown);
        shown += Run("inspect", Title, "--data", data) + Run("backup", _directory.Sub("backup"), "--data", data);
        Assert.DoesNotContain(Passphrase, shown);
        NoKey(Encoding.UTF8.GetBytes(shown), "the output");
        var files = Directory.GetFiles(_directory.Path, "*", SearchOption.AllDirectories);
        Assert.True(files.Length > 6, "data directory and backup are not there");
        foreach (var path in files) NoKey(File.ReadAllBytes(path), path);
    }

    private static void NoKey(ReadOnlySpan<byte> bytes, string where)
    {
        foreach (var key in (byte[][])[Key, Authentication])
        {
            string[] texts = [Convert.ToHexString(key), Convert.ToHexStringLower(key), Convert.ToBase64String(key)];
            Assert.True(bytes.IndexOf(key) < 0, $"{where} holds the bytes of a key");
            foreach (var text in texts)
                Assert.True(bytes.IndexOf(Encoding.ASCII.GetBytes(text)) < 0, $"{where} holds the text of a key");
        }
    }

    [Fact]
    public void Without_a_passphrase_or_with_an_open_file_it_is_one_clear_error()
    {
        var file = _directory.Sub("keys");
        var (exit, _, errors) = Metertwin.Run([], "keys", "init", file);
        Assert.Equal(2, exit);
        Assert.Contains("METERTWIN_KEYS_PASSPHRASE", errors);
        Assert.False(File.Exists(file));
        if (OperatingSystem.IsWindows()) return;
        Run("keys", "init", file);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        (exit, _, errors) = Metertwin.Run(Environment, "keys", "list", file);
        Assert.Equal(2, exit);
        Assert.Contains("chmod 600", errors);
    }
}
