using System.Text;

namespace Twin.Silo.Storage;

/// <summary>A file that its owner alone may read: for keys and tokens.</summary>
internal static class PrivateFile
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <exception cref="IOException">There is such a file already.</exception>
    public static void Write(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Mode;
        using var file = new FileStream(path, options);
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Flush(flushToDisk: true);
    }

    /// <summary>What is in a file that nobody else may read.</summary>
    /// <exception cref="SettingException">It is not there, or others may read it.</exception>
    public static string Read(string flag, string file, string holds)
    {
        if (!File.Exists(file)) throw new SettingException($"{flag}: there is no file {file}.");
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead
            | UnixFileMode.OtherWrite;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & others) != 0)
            throw new SettingException($"Others may read {file}, which holds {holds}. Run: chmod 600 {file}");
        return File.ReadAllText(file);
    }
}
